"""Map the controls of benchmarks to the rules that decide them, one table a version.

`benchmarks` is plain data: the rules know nothing of it, and it imports neither pandas nor the
rules. `rulebook` selects rules and limits for a standard, and returns how each control came out.
"""
