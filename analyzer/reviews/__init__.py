"""Read the entries of reviewers in workbooks, even if people changed the sheets.

`entries` compares each row with the report, and returns the lines for the ledger. It reads the
lists that `list_sheets` finds among the cells of `xlsx_file` and `xlsx_cells`.

The command line and `runs` may import this package. It imports the writers, to compare each row
with what its list showed. Functions that read raise InputRefused with every problem.
"""
