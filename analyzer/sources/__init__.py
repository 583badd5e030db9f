"""Bring in what the analysis works on: files, folders, archives and standard input.

`load` returns a Report of whatever `find` lists on disk and in `archives`, or Python holds in
memory; `files_beside` and `manifest` read what lies beside the reports.
`review_workbook` reads what reviewers entered, in the lists that `review_sheets` finds.

The command line, `exports` and `aws` may import this package. Only what reads workbooks knows the
writers: it compares a row with what its list showed. Functions that read raise InputRefused with
every problem.
"""
