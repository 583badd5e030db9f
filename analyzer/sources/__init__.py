"""Bring in what the analysis works on: files, folders, archives, standard input and AWS.

`load` returns a Report of whatever `find` lists on disk and `memory` in Python; `other_files` tells
which files cannot be reports, `companions` and `manifest` read what lies beside the reports.
`review_workbook` reads what reviewers entered, `ledger_file` locks the ledger. `fetch` saves
reports from AWS, with `aws` for one account and `organization` for many, within the time of
`deadline`; only `aws` imports boto3, `aws_answers` refuses answers that are not AWS's, and
`aws_errors` translates errors.

The command line and `exports` may import this package; it imports `report` and what lies below,
never writers. Functions that read raise InputRefused with every problem, those that ask AWS raise
AwsRefused. A file is saved whole, as AWS sent it, or not at all.
"""
