"""Judge whole reports: verdicts, findings, exemptions and decisions together, for all outputs.

`analysis` holds the criteria and the result, `totals` counts the result,
`rulebook` chooses the rules, `rule_results` has their findings and controls, `filters` keeps the
users that are wanted, and `explanation` says why one user has its verdict.

Writers, `runs` and the command line may import this package. It reads and writes no file.
"""
