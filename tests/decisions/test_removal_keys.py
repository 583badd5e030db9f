"""Access keys are known by their creation time alone: whatever is left, more access is noticed."""

import itertools
import random
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from analyzer.decisions.credentials import Moment, Slot
from analyzer.decisions.plan import FUNCTIONS, removal_script
from tests.support.aws_account import stated
from tests.support.aws_stub import LEDGERS
from tests.support.removals import CREATED, KEY_USED, MINUTE, SECOND, credential, removal

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

Keys = Sequence[Slot]

CASES = 500
TOLERANCE = timedelta(minutes=15)
USES = (None, *(KEY_USED + minutes * MINUTE for minutes in (0, 10, 16, 31)))


def some_key(chance: random.Random) -> Slot:
    created = CREATED + chance.choice((0, 0, 1)) * SECOND
    return credential(created, active=chance.random() < 0.5, last_used=chance.choice(USES))


def cases() -> list[tuple[Keys, Keys]]:
    """Return pairs of what was seen and what is there, the same ones in each run."""
    chance = random.Random(29)
    seen = [[some_key(chance) for _ in range(chance.choice((1, 2, 2, 3)))] for _ in range(CASES)]
    return [(each, happened(chance, each)) for each in seen]


def happened(chance: random.Random, seen: Keys) -> Keys:
    """Return the keys after some changes, in any order."""
    live = [changed(chance, key) for key in seen if chance.random() < 0.9]
    if chance.random() < 0.1:
        live.append(some_key(chance))
    chance.shuffle(live)
    return live


def changed(chance: random.Random, key: Slot) -> Slot:
    if chance.random() < 0.6:
        return key
    return key._replace(is_active=chance.random() < 0.4, last_used=Moment(chance.choice(USES)))


def compared(shell: str, folder: Path, pairs: Iterable[tuple[Keys, Keys]]) -> list[bool]:
    """Return by the script's own function whether the keys that are there are no more."""
    calls = [
        f"compare key '{live_lines(live)}' '{reviewed_words(seen)}' && say same || say more"
        for seen, live in pairs
    ]
    file = folder / "compare.sh"
    file.write_text("\n".join(["log_columns=''", FUNCTIONS, *calls, ""]))
    ended = subprocess.run([shell, file], capture_output=True, text=True, check=False)
    assert ended.stderr == ""
    return [line == "same" for line in ended.stdout.splitlines()]


def live_lines(keys: Keys) -> str:
    rows = (
        f"{used(key.created.at)} {used(key.last_used.at)} {state(key)} AKIA{place}"
        for place, key in enumerate(keys)
    )
    return "\n".join(sorted(rows))


def used(moment: datetime | None) -> str:
    return "-" if moment is None else stated(moment)


def state(key: Slot) -> str:
    return "active" if key.is_active else "inactive"


def reviewed_words(keys: Keys) -> str:
    """Return what the script has in the line of a user with these keys."""
    script = removal_script([removal(keys=tuple(keys))], ledgers=LEDGERS)
    words = script.rpartition("\nremove ")[2].split()
    return " ".join(word.removeprefix("key=") for word in words if word.startswith("key="))


def is_less(live: Slot, seen: Slot) -> bool:
    if live.is_active and not seen.is_active:
        return False
    if live.last_used.at is None:
        return True
    return bool(seen.last_used.at and live.last_used.at <= seen.last_used.at + TOLERANCE)


def by_second(keys: Keys) -> dict[Moment, list[Slot]]:
    groups = defaultdict(list)
    for key in keys:
        groups[key.created].append(key)
    return groups


def can_be_less(seen: Keys, live: Keys) -> bool:
    """Return whether each key that is there may be one that was seen, with all of its second."""
    known = by_second(seen)
    return all(
        len(keys) == len(known.get(second, []))
        and any(all(map(is_less, keys, order)) for order in itertools.permutations(known[second]))
        for second, keys in by_second(live).items()
    )


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_more_access_or_use_is_noticed_whatever_happened_to_the_keys(
    shell: str, tmp_path: Path
) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    pairs = cases()
    answers = compared(shell, tmp_path, pairs)
    assert len(answers) == len(pairs)
    for (seen, live), same in zip(pairs, answers, strict=True):
        assert not same or can_be_less(seen, live), (seen, live)
        if max(map(len, by_second(seen).values())) == 1:
            assert same == can_be_less(seen, live), (seen, live)
    assert 0.2 < sum(answers) / CASES < 0.8


def test_keys_that_are_the_same_or_were_deactivated_are_no_more(tmp_path: Path) -> None:
    """Let none, half or all of them be inactive, as a run that was killed leaves them."""
    chance = random.Random(7)
    pairs: list[tuple[Keys, Keys]] = []
    for (seen, _), share in zip(cases(), itertools.cycle((0, 0.5, 1)), strict=False):
        live = [key._replace(is_active=key.is_active and chance.random() >= share) for key in seen]
        pairs.append((seen, chance.sample(live, len(live))))
    assert all(compared("sh", tmp_path, pairs))
