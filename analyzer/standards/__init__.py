"""Map the controls of benchmarks to the rules that decide them, one table a version.

Plain data: the rules know nothing of it, and neither pandas nor the rules are imported here.
`benchmarks` has the tables, `standard` defines a table and its controls, `frameworks` has the
numbers of frameworks for reference. Two modules need more than data: `rulebook` selects rules and
limits for a standard, and `results` returns how each control came out.

`inspection`, the writers and the command line may import this package. A new version is one table
in `benchmarks` and a line in STANDARDS; a control names the rules that decide it, or the reason
why no report can.
"""

from typing import Final

from analyzer.standards.benchmarks import (
    CIS_1_2,
    CIS_1_4,
    CIS_1_5,
    CIS_2_0,
    CIS_3_0,
    CIS_4_0_1,
    CIS_5_0,
    CIS_6_0,
    CIS_7_0,
    FSBP,
)
from analyzer.standards.frameworks import FRAMEWORKS
from analyzer.standards.standard import Standard

STANDARDS: Final[tuple[Standard, ...]] = (
    CIS_7_0,
    CIS_6_0,
    CIS_5_0,
    CIS_4_0_1,
    CIS_3_0,
    CIS_2_0,
    CIS_1_5,
    CIS_1_4,
    CIS_1_2,
    FSBP,
)


def references(rule: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return which standards and frameworks ask for a rule: (name, numbers of their controls)."""
    every = [
        *((standard.name, standard.numbers(rule)) for standard in STANDARDS),
        *((name, numbers.get(rule, ())) for name, numbers in FRAMEWORKS),
    ]
    return [(name, numbers) for name, numbers in every if numbers]
