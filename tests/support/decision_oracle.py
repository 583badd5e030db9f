"""Read the law of decisions a second time, from the texts of a ledger and of reports alone.

Nothing of the program is used but the words of its states. It is slow, and says each clause as the
law does: whose last words, what counts against the newest removal, what every report shows.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from typing import NamedTuple

Cells = Mapping[str, str]
_FLAGS = ("access_key_1_active", "access_key_2_active", "cert_1_active", "cert_2_active")
_NEVER = ("N/A", "no_information", "")
_PAST = (
    ("user_creation_time", "password_last_used", "password_last_changed")
    + tuple(f"access_key_{slot}_last_{what}" for slot in "12" for what in ("rotated", "used_date"))
    + tuple(f"cert_{slot}_last_rotated" for slot in "12")
)


class Outcome(NamedTuple):
    """Hold the state of a removal, what the script does with an open one, and why it is overdue."""

    state: str
    action: str = ""
    overdue: str = ""


def moment(text: str) -> datetime | None:
    """Return a time, None for anything else."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None


def created_in(cells: Cells) -> datetime | None:
    return moment(cells["user_creation_time"])


def newest_timestamp(rows: Iterable[Cells]) -> datetime:
    every = [at for cells in rows for name in _PAST if (at := moment(cells[name]))]
    return max(every, default=datetime(1970, 1, 1, tzinfo=UTC))


def _own_time(source: str, as_of: datetime, newest: datetime) -> datetime:
    if source == "folder":
        return as_of.replace(hour=0, minute=0, second=0)
    return newest if source == "option" else as_of


class Shown(NamedTuple):
    """Hold everything that a row shows of a user, as far as a decision looks at it."""

    password: tuple[str, str, str]
    keys: tuple[tuple[str, str, str], ...]
    certificates: tuple[tuple[str, str], ...]
    mfa: str

    @property
    def is_unknown(self) -> bool:
        flags = (self.password[0], self.mfa) + tuple(
            of[0] for of in (*self.keys, *self.certificates)
        )
        times = self.password[1], *(at for of in self.keys for at in of[1:])
        times = (*times, *(of[1] for of in self.certificates))
        changed = (self.password[2],) if self.password[0] == "true" else ()
        return not set(flags) <= {"true", "false"} or "?" in (*times, *changed)

    @property
    def has_active(self) -> bool:
        return any(of[0] == "true" for of in (*self.keys, *self.certificates))

    @property
    def has_access(self) -> bool:
        """Return whether a delete only deactivates."""
        was_used = self.password[0] == "true" and self.password[1] not in ("never", "?")
        return self.has_active or was_used

    @property
    def has_any(self) -> bool:
        return self.has_active or self.password[0] == "true"

    @property
    def is_bare(self) -> bool:
        return not (self.is_unknown or self.has_any)


def shown_in(cells: Cells) -> Shown:
    def flag(name: str) -> str:
        return cells[name].lower()

    def time(name: str) -> str:
        text = cells[name]
        return "never" if text in _NEVER else str(moment(text) or "?")

    password = flag("password_enabled"), time("password_last_used"), time("password_last_changed")
    keys = (
        tuple(
            [flag(f"access_key_{slot}_active")]
            + [time(f"access_key_{slot}_last_{what}") for what in ("rotated", "used_date")]
        )
        for slot in "12"
    )
    certificates = ((flag(f"cert_{at}_active"), time(f"cert_{at}_last_rotated")) for at in "12")
    return Shown(password, tuple(sorted(keys)), tuple(sorted(certificates)), flag("mfa_active"))  # type: ignore[arg-type]  # three texts


@dataclass(frozen=True)
class Report:
    """Hold the rows of one account in a report; `newest` is the newest timestamp of the file."""

    account: str
    as_of: datetime
    source: str
    newest: datetime
    rows: Sequence[Cells]

    @cached_property
    def time(self) -> datetime:
        return _own_time(self.source, self.as_of, self.newest)

    @cached_property
    def users(self) -> dict[tuple[str, datetime | None], Shown]:
        people = (cells for cells in self.rows if cells["user"] != "<root_account>")
        return {(cells["user"], created_in(cells)): shown_in(cells) for cells in people}

    @property
    def has_root(self) -> bool:
        return any(cells["user"] == "<root_account>" for cells in self.rows)

    def of_second(self, at: datetime) -> set[str]:
        return {name for name, created in self.users if created == at}


@dataclass(frozen=True)
class Word:
    """Hold one line of a ledger."""

    cells: Cells

    @cached_property
    def user(self) -> tuple[str, str, datetime | None]:
        account, name = self.cells["arn"].split(":")[4], self.cells["arn"].split("/")[-1]
        return account, name, created_in(self.cells)

    @cached_property
    def person(self) -> str:
        return " ".join(self.cells["decided_by"].casefold().split())

    @property
    def word(self) -> str:
        return self.cells["decision"]

    @property
    def removes(self) -> bool:
        return self.word in ("delete", "deactivate")

    @cached_property
    def day(self) -> date:
        return date.fromisoformat(self.cells["decided_on"])

    @cached_property
    def report(self) -> datetime:
        as_of = moment(self.cells["as_of"])
        assert as_of
        return _own_time(self.cells["as_of_source"], as_of, newest_timestamp([self.cells]))

    @cached_property
    def names(self) -> frozenset[str] | None:
        text = self.cells["same_second"]
        return frozenset(text.split(";")) if text else None

    @cached_property
    def shown(self) -> Shown:
        return shown_in(self.cells)


def days_after(later: date, earlier: date) -> int:
    return (later - earlier).days


def last_words(words: Iterable[Word]) -> list[Word]:
    words = list(words)
    days = {word.person: max(o.day for o in words if o.person == word.person) for word in words}
    return [word for word in words if days_after(days[word.person], word.day) <= 1]


class Verdict(NamedTuple):
    """Hold what stands on a user: the word, the newest removal, and whether people differ."""

    word: str
    seen: Word
    is_contested: bool


def verdict(user: tuple[str, str, datetime | None], ledger: Sequence[Word]) -> Verdict | None:
    """Return what stands on a user, None if nobody's last words remove it."""
    own = [word for word in ledger if word.user == user]
    removals = [word for word in last_words(own) if word.removes]
    if not removals:
        return None
    # Of one report and day, a word that names the users of its second comes first.
    seen = max(removals, key=lambda of: (of.report, of.day, of.names is not None, of.person))
    said = last_words(own) + _of_former_names(user, seen, own, ledger)
    against = any(_counts(word, seen) for word in said if not word.removes)
    against |= any(word.report > seen.report for word in own if not word.removes)
    milder = [
        word
        for word in said
        if word.word == "deactivate" and not (word.report < seen.report and seen.shown.is_bare)
    ]
    # Of contested users, what became of it asks about the newest removal.
    word = seen.word if against else "deactivate" if milder else "delete"
    return Verdict(word, seen, against)


def _counts(word: Word, seen: Word) -> bool:
    return _lasts(word, seen.day)


def _of_former_names(
    user: tuple[str, str, datetime | None],
    seen: Word,
    own: Sequence[Word],
    ledger: Sequence[Word],
) -> list[Word]:
    account, _, created = user
    others = {o.user for o in ledger if o.user[::2] == (account, created) and o.user != user}
    found = []
    for other in others if created else ():
        if seen.names is not None and other[1] in seen.names:
            continue
        for word in last_words(o for o in ledger if o.user == other):
            moved_on = (
                later
                for later in own
                if later.person == word.person
                and later.names is not None
                and other[1] not in later.names
                and days_after(later.day, word.day) > 1
            )
            if not any(moved_on):
                found.append(word)
    return found


def _is_done(word: str, seen: Word, report: Report) -> bool:
    _, name, created = seen.user
    if report.time <= seen.report or created is None:
        return False
    now = report.users.get((name, created))
    if now:
        return word == "deactivate" and now.is_bare and not seen.shown.is_bare
    is_hidden = (name, None) in report.users
    names = seen.names or frozenset()
    return report.has_root and not is_hidden and bool(names) and report.of_second(created) <= names


def _differs(seen: Word, report: Report, to_delete: set[str]) -> bool:
    _, name, created = seen.user
    assert created
    others = (report.of_second(created) ^ (seen.names or set())) - {name}
    return report.users.get((name, created)) != seen.shown or not others <= to_delete


def _state(  # noqa: C901, PLR0911  the law has as many
    stands: Verdict, since: Sequence[Report], to_delete: set[str], reason: str
) -> str:
    word, seen, is_contested = stands
    _, name, created = seen.user
    done = 0
    while done < len(since) and _is_done(word, seen, since[-1 - done]):
        done += 1
    if done:
        earlier = since[: len(since) - done]
        before = [o for o in earlier if o.has_root or (name, created) in o.users][-1:]
        is_other = is_contested or any(_differs(seen, report, to_delete) for report in before)
        return "done, not as decided" if is_other else "done"
    if is_contested:
        return "contested"
    if word == "deactivate" and seen.shown.is_bare:
        return "nothing to do"
    now = since[-1].users.get((name, created)) if since else None
    if word == "delete" and seen.shown.has_access and now and now.is_bare:
        return "deactivated"
    days = [seen.day] + [report.time.date() for report in since]
    if days_after(max(days), seen.report.date()) > 60:
        return "lapsed"
    rows = [report.users.get((name, created)) for report in since]
    if created is None or not rows or seen.names is None or seen.shown.is_unknown:
        return "unknown"
    if any(row is None or row.is_unknown for row in rows):
        return "unknown"
    if any(_differs(seen, report, to_delete) for report in since):
        return "changed"
    if seen.cells["verdict"] == "active":
        return "active"
    return "exempt" if reason else "open"


def _overdue(stands: Verdict, since: Sequence[Report], state: str) -> str:
    """Return why a removal is overdue, whatever else its state is."""
    word, seen, _ = stands
    user = seen.user[1:]
    if state.startswith("done") or not since:
        return "not carried out" if state == "lapsed" else ""
    done = [report for report in since if _is_done(word, seen, report)]
    now = since[-1].users.get(user)
    if now:
        can_only_deactivate = seen.shown.has_access or seen.shown.is_unknown
        rows = [report.users.get(user) for report in since if report.time > seen.report]
        lost = not seen.shown.is_bare and any(row and row.is_bare for row in rows)
        was_deactivated = lost and (word == "deactivate" or can_only_deactivate)
        was_deleted = any(user not in report.users for report in done)
        if was_deleted or (was_deactivated and now.has_any):
            return "undone"
    late = days_after(since[-1].time.date(), seen.report.date()) > 30
    is_late = state == "lapsed" or (state == "open" and late)
    return "not carried out" if is_late and not done else ""


def gone(lines: Iterable[Cells], reports: Sequence[Report]) -> dict[tuple[str, str, datetime], str]:
    """Return how each user went whom nobody's last words remove, and no report shows any more."""
    ledger, found = [Word(cells) for cells in lines], dict[tuple[str, str, datetime], str]()
    for account in {report.account for report in reports}:
        own = sorted((o for o in reports if o.account == account), key=lambda report: report.time)
        newest = own[-1]
        for at, report in enumerate(own if newest.has_root else ()):
            for name, created in report.users:
                is_there = {(name, created), (name, None)} & set(newest.users)
                user = account, name, created
                if created and not is_there and not verdict(user, ledger):
                    # A later report that shows the user decides.
                    found[account, name, created] = _how_gone(
                        (account, name, created), ledger, own[at:]
                    )
    return found


def _how_gone(
    user: tuple[str, str, datetime], ledger: Sequence[Word], reports: Sequence[Report]
) -> str:
    """Return how a user went; the first of the reports shows it, the last one does not."""
    first, newest = reports[0], reports[-1]
    missed = next(report for report in reports if user[1:] not in report.users)
    counting = {
        word.word
        for word in last_words(word for word in ledger if word.user == user)
        if word.day <= missed.time.date() and _lasts(word, first.time.date())
    }
    if "keep" in counting:
        return "removed against a keep"
    if "investigate" in counting:
        return "removed against an investigation"
    is_renamed = newest.of_second(user[2]) - first.of_second(user[2])
    return "possibly renamed" if is_renamed else "removed without a decision"


def _lasts(word: Word, day: date) -> bool:
    return days_after(day, word.day) <= (180 if word.word == "keep" else 30)


def outcomes(
    lines: Iterable[Cells], reports: Sequence[Report], exempt: Iterable[Cells] = ()
) -> dict[tuple[str, str, datetime], Outcome]:
    """Return what becomes of each user with a removal among the last words.

    `exempt` are the entries of an exemption list; the reports are of the accounts of the ledger.
    """
    ledger = [_with_names(Word(cells), reports) for cells in lines]
    users = {word.user for word in ledger}
    stands = {user: of for user in users if (of := verdict(user, ledger))}
    found = {}
    for (account, name, created), of in stands.items():
        if created is None:
            continue
        own = sorted((o for o in reports if o.account == account), key=lambda report: report.time)
        since = [report for report in own if report.time >= of.seen.report]
        to_delete = {
            user[1]
            for user, other in stands.items()
            if user[::2] == (account, created) and other.word == "delete" and not other.is_contested
        }
        newest = own[-1].as_of.date() if own else date.min
        reasons = (
            entry["reason"]
            for entry in exempt
            if (entry["account"], entry["user"]) == (account, name)
            and (not entry["expires"] or newest <= date.fromisoformat(entry["expires"]))
        )
        state = _state(of, since, to_delete, next(reasons, ""))
        action = of.word
        if of.word == "delete" and of.seen.shown.has_access:
            action = "deactivate"
        done = action if state == "open" else ""
        found[account, name, created] = Outcome(state, done, _overdue(of, since, state))
    return found


def _with_names(word: Word, reports: Sequence[Report]) -> Word:
    """Return a word with the names of its second, from the report that it was made on."""
    account, _, created = word.user
    if word.names is None and created:
        for report in reports:
            if (report.account, report.as_of) == (account, moment(word.cells["as_of"])):
                names = ";".join(sorted(report.of_second(created)))
                return Word(dict(word.cells) | {"same_second": names})
    return word
