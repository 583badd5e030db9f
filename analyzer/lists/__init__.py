"""Read the lists that people keep in CSV files: `exemptions` from rules, and `account_names`.

`csv_lists` reads any of them, with every problem at once. A list that is not understood raises
InputRefused.
"""
