"""Read the lists that people keep in CSV files: `exemptions`, and `owners` with names of accounts.

`csv_lists` reads any of them, and finds the users that an entry matches; raises InputRefused.
"""
