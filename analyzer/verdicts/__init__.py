"""Give each user one verdict: what is known of it, what it leaves open, and which word it gets.

`facts` reads a page's columns as yes, no or undecided, `caveats` are reasons to check a user first,
`verdict` tries the verdicts in their order. Rules stand on this package; it imports `report` alone.
"""
