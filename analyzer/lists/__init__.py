"""Read the lists that people keep in CSV files: `exemptions`, and `owners` with names of accounts.

`csv_lists` reads any of them, with every problem at once, and finds the users whom an entry is for.
A list that is not understood raises InputRefused.
"""
