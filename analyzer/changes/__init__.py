"""Say what changed between two reports: users, verdicts, exemptions, credentials and findings.

`events` says what happened to one user, `findings` why one of its findings changed, `users` which
changes outputs list of it: plain Python on what two reports say about that user. `snapshot` keeps
what two analyses are compared by, and `diff` selects the users of whom anything differs.

Writers, `exports` and the command line may import this package. It stands on `judging`.
"""
