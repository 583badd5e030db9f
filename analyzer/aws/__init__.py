"""Fetch credential reports from AWS; only this package knows boto3.

`report` gets the report of one account through a `client`, `organization` lists and chooses
accounts, and `fetch` does all of a `request`. `answers` refuses answers that are not AWS's, and
`errors` puts what went wrong into words. The command line imports this package; it imports
`sources` and what lies below. Whatever AWS or the network does, AwsRefused is raised, in time and
without a secret. A report is saved whole, as AWS sent it, or not at all.
"""
