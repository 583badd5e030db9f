"""Damage reports at random: nobody becomes unused by it, and the CSV says what was judged."""

from pathlib import Path
from random import Random

import analyzer
from analyzer.errors import InputRefused
from analyzer.terms import Verdict
from tests.support.builders import AS_OF, COLUMNS, Row, report_text, saved
from tests.support.outputs import csv_rows
from tests.verdicts.test_against_oracle import a_random_user

USERS = 40
"""Users of a report, half of them with a damaged cell."""

DAYS = (0.5, 5, 89.9, 90.1, 400, 3000)
CELLS = (
    *("", " ", "TRUE", "tRuE", "yes", "0", "-", "None"),
    *("2026-04-30", "2026-04-30T12:00:00", "2099-01-01T00:00:00Z", "45404.8", "03/04/2021 10:00"),
    *("=1+1", "+1", "-1", "@A1", "\uff1d1", "\t=1", "a,b", 'say "no"', "x\ny", "x\r\ny", "\u202e"),
    "x" * 300,
    'x"\narn:aws:iam::012345678901:user/forged,unused,no-credentials,certain',
)


def damaged(random: Random, row: Row) -> Row:
    """Return a row one to three of whose cells, but not its name, hold something else."""
    cells = random.sample(COLUMNS[2:], random.randint(1, 3))
    return row | {cell: random.choice(CELLS) for cell in cells}


def check(random: Random, folder: Path) -> None:
    """Raise AssertionError where damage made somebody unused, or the CSV says another thing."""
    rows = [a_random_user(random, number, DAYS) for number in range(USERS)]
    harmed = [damaged(random, row) if random.random() < 0.5 else row for row in rows]
    before = verdicts(saved(folder, report_text(rows)), random)
    try:
        after = verdicts(saved(folder, report_text(harmed)), random)
    except InputRefused:
        return  # Refusing is always safe.
    for arn, verdict in after.items():
        newly = verdict == Verdict.UNUSED and before[arn] != Verdict.UNUSED
        assert not newly, (arn, before[arn], harmed)


def verdicts(path: Path, random: Random) -> dict[str, str]:
    """Return the verdict of each ARN; the CSV must have the same, cell by cell."""
    analysis = analyzer.analyze(analyzer.load(path, as_of=AS_OF))
    written = csv_rows(analysis, raw=random.random() < 0.5)
    names = ["arn", "verdict", "reason", "certainty", "caveats"]
    columns = [analysis.users[name].astype(str) for name in names]
    judged = sorted(zip(*columns, strict=True))
    assert sorted(tuple(row[name] for name in names) for row in written) == judged
    assert not any(None in row for row in written)
    return {arn: verdict for arn, verdict, *_ in judged}
