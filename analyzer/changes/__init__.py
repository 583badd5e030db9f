"""Say what changed between two reports, and what a period of many holds.

Two reports: `diff` selects the users of whom their `snapshot`s differ, `events` says what happened
to each, and `user_changes` which changes outputs list of it and why. A period: `timeline` orders
what all reports say of each user, `stays` finds when users and verdicts come and go,
`decisions_done` since when decisions are done, and `history` counts these.

Writers, `runs` and the command line may import this package. It stands on `analysis`.
"""
