"""Find what changed between two reports, and in a period of many.

Two reports: `diff` selects the users that differ in the `snapshot`s, `events` finds what happened
to each, and `user_changes` makes changes with causes of it. A period: `timeline` orders the rows of
each user in all reports, `stays` finds when users and verdicts come and go, `decisions_done` finds
since when decisions are done, and `history` counts all this.

Writers, `runs` and the command line may import this package. It imports `analysis`.
"""
