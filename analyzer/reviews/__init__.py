"""Read what reviewers entered in workbooks, whatever people did with their sheets.

`entries` checks that each reviewer saw what the report says, and gives the lines for the ledger. It
reads the lists that `list_sheets` finds among the cells of `xlsx_file` and `xlsx_cells`.

The command line and `runs` may import this package. It knows the writers, as it compares each
row with what its list showed. Functions that read raise InputRefused with every problem.
"""
