"""Find what changed between two reports, and in a period of many.

`walk` finds the users that differ from each report of an account to the next, `events` what
happened to each. Two reports: `diff` walks from one to the other, and `user_changes` says what
changed, and why. A period: `period` orders the reports, `stays` follows each user through them, and
`history` counts all this.

Writers, `runs` and the command line may import this package. It imports `analysis`.
"""
