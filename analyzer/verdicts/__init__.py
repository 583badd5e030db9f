"""Give each user one verdict, from the facts on the user, with the caveats on the verdict.

`facts` reads a page's columns as yes, no or undecided, `caveats` are reasons to check a user first,
`verdict` tries the verdicts in their order. Rules build on this package; it imports only `report`.
"""
