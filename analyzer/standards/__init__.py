"""Map the controls of benchmarks to the rules that decide them, one table a version.

Plain data: the rules know nothing of it, and neither pandas nor the rules are imported here.
`benchmarks` has the tables, `standard` defines a table and its controls, `frameworks` has the
numbers of frameworks for reference. Two modules need more than data: `rulebook` selects rules and
limits for a standard, and `results` returns how each control came out.

`inspection`, the writers and the command line may import this package. A control names the rules
that decide it, or the reason why no report can.
"""

from analyzer.standards.benchmarks import STANDARDS
from analyzer.standards.frameworks import FRAMEWORKS

__all__ = ["STANDARDS", "references"]


def references(rule: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return which standards and frameworks ask for a rule: (name, numbers of their controls)."""
    every = [
        *((standard.name, standard.numbers(rule)) for standard in STANDARDS),
        *((name, numbers.get(rule, ())) for name, numbers in FRAMEWORKS.items()),
    ]
    return [(name, numbers) for name, numbers in every if numbers]
