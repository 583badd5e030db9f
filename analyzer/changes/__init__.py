"""Say what changed between two reports, and what a period of many holds.

`events` says what happened to one user, `user_changes` which changes outputs list of it and why:
plain Python on what two reports say about that user. `snapshot` keeps what two analyses are
compared by, and `diff` selects the users of whom anything differs.

`timeline` orders what all reports say of each user, `presence` finds in it when users and verdicts
come and go, `completion` since when decisions are done, and `history` counts these for a period.

Writers, `runs` and the command line may import this package. It stands on `analysis`.
"""
