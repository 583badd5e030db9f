"""Run the fuzzers from a seed: `python -m tests.fuzz.run --seconds 60 --seed 1`.

Damage reports at random: nobody becomes unused by it, and the CSV says what was judged. Answer
falsely to a fetch at random: it ends with 4, in time, and says nothing of the answer. What Python
can only write to standard error, such as an error in a function that Arrow calls, fails a round.
"""

import argparse
import io
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from random import Random

import pytest

import analyzer
from analyzer.errors import InputRefused
from analyzer.terms import Verdict
from tests.support.aws_server import (
    CALLER,
    GENERATE,
    GET,
    SECRET,
    TOKEN,
    fetching,
    on_loopback_only,
    serving,
)
from tests.support.builders import AS_OF, COLUMNS, Row, report_text, saved
from tests.support.hostile_server import MARK, REPORTS, STATES, WAYS
from tests.support.outputs import csv_rows
from tests.verdicts.test_against_oracle import a_random_user

USERS = 40
"""Users of a report, half of them with a damaged cell."""

DAYS = (0.5, 5, 89.9, 90.1, 400, 3000)
CELLS = (
    ("", " ", "TRUE", "tRuE", "yes", "0", "-", "None")
    + ("2026-04-30", "2026-04-30T12:00:00", "2099-01-01T00:00:00Z", "45404.8", "03/04/2021 10:00")
    + ("=1+1", "+1", "-1", "@A1", "\uff1d1", "\t=1", "a,b", 'say "no"', "x\ny", "x\r\ny", "\u202e")
    + ("x" * 300, 'x"\narn:aws:iam::012345678901:user/forged,unused,no-credentials,certain')
)


def damaged(random: Random, row: Row) -> Row:
    """Return a row one to three of whose cells, but not its name, hold something else."""
    cells = random.sample(COLUMNS[2:], random.randint(1, 3))
    return row | {cell: random.choice(CELLS) for cell in cells}


def check_reports(random: Random, folder: Path) -> None:
    """Raise AssertionError where damage made somebody unused, or the CSV says another thing."""
    rows = [a_random_user(random, number, DAYS) for number in range(USERS)]
    harmed = [damaged(random, row) if random.random() < 0.5 else row for row in rows]
    before = verdicts(saved(folder, report_text(rows)))
    try:
        after = verdicts(saved(folder, report_text(harmed)))
    except InputRefused:
        return  # Refusing is always safe.
    for arn, verdict in after.items():
        newly = verdict == Verdict.UNUSED and before[arn] != Verdict.UNUSED
        assert not newly, (arn, before[arn], harmed)


def check_bytes(random: Random, folder: Path) -> None:
    """Raise AssertionError where bytes that are damaged at random are neither read nor refused."""
    rows = [a_random_user(random, number, DAYS) for number in range(10 * USERS)]
    content = bytearray(report_text(rows).encode())
    for _ in range(random.randint(1, 3)):
        at = random.randrange(len(content))
        content[at : at + random.randint(0, 2)] = random.choice(BYTES) * random.choice(
            (1, 1, 70_000)
        )
    with suppress(InputRefused):
        verdicts(saved(folder, bytes(content)))


def verdicts(path: Path) -> dict[str, str]:
    """Return the verdict of each ARN; the CSV must have the same, cell by cell."""
    analysis = analyzer.analyze(analyzer.load(path, as_of=AS_OF))
    written = csv_rows(analysis)
    names = ["arn", "verdict", "reason", "certainty", "caveats"]
    columns = [analysis.users[name].astype(str) for name in names]
    judged = sorted(zip(*columns, strict=True))
    assert sorted(tuple(row[name] for name in names) for row in written) == judged
    assert not any(None in row for row in written)
    return {arn: verdict for arn, verdict, *_ in judged}


BYTES = (b"\xff", b"\xc3", b"\xff,", b",", b'"', b"\n", b"\r", b"\0", b"x")
PLANTED = (SECRET, TOKEN, MARK, "Traceback")


def check_servers(random: Random, folder: Path) -> None:
    """Raise AssertionError where a false answer gives another exit code or is repeated."""
    operation, more = random.choice([(GENERATE, STATES), (GET, REPORTS)])
    way = random.choice([*WAYS, *more])
    with pytest.MonkeyPatch.context() as patch, serving() as server:
        on_loopback_only(patch, folder, server.url)
        patch.setitem(os.environ, "AWS_SESSION_TOKEN", TOKEN)
        patch.setitem(os.environ, "AWS_MAX_ATTEMPTS", "1")
        server.false[CALLER, operation] = (WAYS | more)[way]
        said, output = io.StringIO(), io.StringIO()
        with redirect_stderr(said), redirect_stdout(output):
            code = fetching("-o", folder / "reports", "--timeout", "4")
    text = said.getvalue() + output.getvalue()
    assert code == 4, (operation, way, code, text)
    assert not any(planted in text for planted in PLANTED), (operation, way, text)


Check = Callable[[Random, Path], None]
PARTS: dict[str, tuple[Check, float]] = {
    "reports": (check_reports, 0.5),
    "bytes": (check_bytes, 0.25),
    "servers": (check_servers, 0.25),
}
"""Each fuzzer with its part of the time."""


def rounds(check: Check, seed: int, seconds: float, most: int) -> int:
    """Return how many rounds there was time for; round n of a seed is always the same."""
    end = time.monotonic() + seconds
    count = 0
    unraisable: list[object] = []
    sys.unraisablehook = unraisable.append
    with tempfile.TemporaryDirectory() as folder:
        while count < most and time.monotonic() < end:
            try:
                check(Random(f"{seed}-{count}"), Path(folder))
                assert not unraisable, unraisable
            except BaseException as error:
                error.add_note(f"seed {seed}, round {count}")
                raise
            count += 1
    return count


def main() -> None:
    """Run each fuzzer for its part of the time, and say how often."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--most", type=int, default=1_000_000, help="rounds of each at most")
    parser.add_argument("--only", choices=PARTS)
    options = parser.parse_args()
    for name, (check, part) in PARTS.items():
        if options.only in {None, name}:
            seconds = options.seconds * (1 if options.only else part)
            count = rounds(check, options.seed, seconds, options.most)
            print(f"{name}: {count} rounds from seed {options.seed}, no failure")


if __name__ == "__main__":
    main()
