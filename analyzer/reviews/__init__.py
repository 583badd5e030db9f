"""Read the entries of reviewers in workbooks, even if people changed the sheets.

`entries` compares each row with its record, and returns the lines for the ledger. It reads the
lists that `list_sheets` finds among the cells of `xlsx_reader`. `comparison` compares them with
lists made anew from the reports, which come as texts: this package knows no writers.

The command line and `runs` may import it. Functions that read raise InputRefused with all problems.
"""
