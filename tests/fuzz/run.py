"""Run the fuzzers from a seed: `python -m tests.fuzz.run --seconds 60 --seed 1`."""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.fuzz import reports, servers

Check = Callable[[Random, Path], None]
PARTS: dict[str, tuple[Check, float]] = {
    "reports": (reports.check, 0.75),
    "servers": (servers.check, 0.25),
}
"""Each fuzzer with its part of the time."""


def rounds(check: Check, seed: int, seconds: float, most: int) -> int:
    """Return how many rounds there was time for; round n of a seed is always the same."""
    end = time.monotonic() + seconds
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        while count < most and time.monotonic() < end:
            try:
                check(Random(f"{seed}-{count}"), Path(folder))
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
