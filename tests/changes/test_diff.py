"""What changed between two reports, case by case."""

import random
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

import analyzer
from analyzer.changes.diff import COLUMNS, changes, counts_by_kind, not_covered_rows
from analyzer.changes.snapshot import Snapshot, snapshot
from analyzer.changes.user_changes import Change
from analyzer.report.model import AccountName, Exemption, UncoveredAccount
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    LONG_AGO,
    Row,
    a_certificate,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    no_password,
    report_text,
    the_root,
)
from tests.support.comparisons import (
    LATER,
    analysis_of,
    compared,
    compared_each,
    snapshot_of,
    user_changes,
)

OTHER = "210987654321"
ONE_KEY, OTHER_KEY = days_before(70), days_before(60)
FRESH, SINCE, NEWER = days_before(10), days_before(-8), days_before(-20)
DAY, CREATED, IN_BETWEEN = "2026-05-09", "2026-02-20", "2026-05-21"
USED_KEY = a_key(ONE_KEY, FRESH)
NOTHING: list[tuple[str, ...]] = []


def a_change(change: str, before: str, now: str, cause: str) -> list[tuple[str, ...]]:
    return [(change, "quiet", before, now, cause)]


def in_use(**cells: Any) -> Row:
    """Return a user who signed in ten days before the first report."""
    return a_user(**{"password": a_password(FRESH), **cells})


USERS = (
    (None, a_user(), a_change("new", "", "unused", "user created on 2023-08-05")),
    (
        None,
        a_user(user_creation_time="garbled"),
        a_change("new", "", "unused", "not in the earlier report"),
    ),
    (
        a_user(),
        None,
        a_change("gone", "unused", "", "user deleted or renamed; created on 2023-08-05"),
    ),
    (
        in_use(mfa=True),
        a_user(created=SINCE),
        a_change(
            "re-created", "active", "unused", f"created on {DAY}, the earlier user on 2023-08-05"
        ),
    ),
    (a_user(), a_user(), NOTHING),
    (
        a_user(key_1=USED_KEY),
        a_user(key_1=an_inactive_key(ONE_KEY, FRESH)),
        a_change("new-unused", "active", "unused", f"access key of {CREATED} deactivated"),
    ),
    (
        a_user(password=a_password()),
        a_user(password=a_password(SINCE)),
        a_change("first-sign-in", "unused", "active", f"first sign-in on {DAY}"),
    ),
    (
        a_user(password=a_password("N/A", FRESH), key_1=a_key(FRESH, FRESH)),
        a_user(password=a_password(SINCE, FRESH), key_1=a_key(FRESH, SINCE)),
        a_change(
            "first-sign-in",
            "active",
            "active",
            f"first sign-in on {DAY}; access key of 2026-04-21 used again on {DAY}",
        ),
    ),
    (
        a_user(key_1=a_key()),
        a_user(key_1=a_key(used=SINCE)),
        a_change("first-use", "dormant", "active", f"access key of 2023-08-05 first used on {DAY}"),
    ),
    (
        a_user(),
        a_user(key_1=a_key(SINCE, SINCE)),
        a_change(
            "first-use",
            "unused",
            "active",
            f"access key of {DAY} first used on {DAY}; access key created on {DAY}",
        ),
    ),
    (
        a_user(password=a_password(LONG_AGO)),
        a_user(password=a_password(SINCE)),
        a_change("used-again", "dormant", "active", f"signed in again on {DAY}"),
    ),
    (
        a_user(password=no_password(LONG_AGO)),
        a_user(password=a_password(SINCE, SINCE)),
        a_change(
            "used-again", "retired", "active", f"signed in again on {DAY}; password set on {DAY}"
        ),
    ),
    (
        a_user(),
        a_user(key_2=a_key(SINCE)),
        a_change("no-longer-unused", "unused", "active", f"access key created on {DAY}"),
    ),
    (
        in_use(password=a_password(days_before(70))),
        in_use(password=a_password(days_before(70))),
        a_change("verdict-changed", "active", "dormant", "not used since 2026-02-20"),
    ),
    (
        a_user(key_1=a_key(ONE_KEY)),
        a_user(key_1=a_key(ONE_KEY)),
        a_change("verdict-changed", "active", "dormant", "never used"),
    ),
    (
        in_use(password=a_password(days_before(70))),
        in_use(password=a_password(days_before(70)), mfa=True),
        a_change(
            "verdict-changed",
            "active",
            "dormant",
            "MFA device registered; not used since 2026-02-20",
        ),
    ),
    (
        in_use(),
        in_use(password=no_password(FRESH)),
        a_change("verdict-changed", "active", "retired", "password removed"),
    ),
    (in_use(), in_use(password=a_password(SINCE)), NOTHING),
    (
        in_use(),
        in_use(password_enabled="perhaps"),
        a_change(
            "undetermined",
            "active",
            "undetermined",
            "password not understood now;"
            ' undetermined now: password_enabled "perhaps" is not understood',
        ),
    ),
    (
        a_user(access_key_1_active="?"),
        a_user(key_1=a_key()),
        a_change(
            "undetermined",
            "undetermined",
            "dormant",
            "access keys not understood before;"
            ' undetermined before: access_key_1_active "?" is not understood; never used',
        ),
    ),
    (
        in_use(cert_1_active="?"),
        in_use(certificate_1=a_certificate()),
        a_change("undetermined", "active", "active", "signing certificates not understood before"),
    ),
    (
        in_use(mfa_active="true"),
        in_use(mfa_active="?"),
        a_change("undetermined", "active", "active", "MFA device not understood now"),
    ),
    (in_use(mfa_active="?"), in_use(mfa_active="?"), NOTHING),
    (
        a_user(password=a_password("garbled"), key_1=a_key(FRESH, FRESH)),
        a_user(password=a_password(SINCE), key_1=a_key(FRESH, FRESH)),
        a_change(
            "undetermined",
            "undetermined",
            "active",
            "last sign-in not understood before; undetermined before:"
            ' password_last_used "garbled" is not understood',
        ),
    ),
    (
        in_use(password=a_password(FRESH, "yesterday")),
        in_use(password=a_password(FRESH, SINCE)),
        NOTHING,
    ),
    (in_use(key_1=a_key(FRESH)), in_use(key_1=a_key(FRESH)), NOTHING),
    (
        a_user(key_1=USED_KEY),
        a_user(key_1=USED_KEY, password=a_password(changed=SINCE)),
        a_change("credentials-changed", "active", "active", f"password set on {DAY}"),
    ),
    (
        in_use(key_1=USED_KEY),
        in_use(key_1=an_inactive_key(ONE_KEY, FRESH)),
        a_change("credentials-changed", "active", "active", f"access key of {CREATED} deactivated"),
    ),
    (
        in_use(),
        in_use(certificate_1=a_certificate(SINCE)),
        a_change(
            "credentials-changed", "active", "active", f"signing certificate created on {DAY}"
        ),
    ),
    (
        in_use(),
        in_use(mfa=True),
        a_change("credentials-changed", "active", "active", "MFA device registered"),
    ),
    (None, None, NOTHING),
)


@pytest.mark.no_cover
def test_what_became_of_a_user_and_why() -> None:
    each = compared_each([(before, now) for before, now, _ in USERS])
    for (before, now, expected), frame in zip(USERS, each, strict=True):
        assert user_changes(frame) == expected, (before, now)


@pytest.mark.no_cover
def test_a_moved_key_resolves_no_finding() -> None:
    one = in_use(key_1=a_key(LONG_AGO), key_2=a_key(ONE_KEY))
    other = in_use(key_1=a_key(ONE_KEY), key_2=a_key(LONG_AGO))
    frame = compared([one], [other])
    assert set(frame["rule"]) == {"unrotated-access-key"}
    assert frame["created"].dt.date.tolist() == [ONE_KEY.date()]


@pytest.mark.no_cover
def test_rows_that_contradict_each_other_show_no_change_of_what_they_differ_in() -> None:
    twice = [in_use(mfa=True), in_use(mfa=True, password=a_password(SINCE))]
    ((change, _, before, now, cause),) = user_changes(compared([in_use()], twice))
    assert (change, before, now) == ("undetermined", "active", "undetermined")
    assert "MFA device registered" in cause
    assert "first sign-in" not in cause
    assert "signed in" not in cause


def an_exemption(reason: str = "Break-glass", expires: date | None = None) -> Exemption:
    return Exemption(ACCOUNT, "quiet", reason, "ann", expires, 2)


EXEMPTIONS: tuple[tuple[list[Exemption], list[Exemption], tuple[str, str, str] | None], ...] = (
    ([], [], None),
    ([an_exemption()], [an_exemption()], None),
    ([], [an_exemption()], ("exempted", "", "Break-glass")),
    ([an_exemption()], [], ("exemption-ended", "Break-glass", "")),
    (
        [an_exemption(expires=AS_OF.date())],
        [an_exemption(expires=AS_OF.date())],
        ("exemption-ended", "Break-glass", ""),
    ),
    ([an_exemption()], [an_exemption("Robot")], ("exemption-changed", "Break-glass", "Robot")),
)


@pytest.mark.no_cover
def test_a_change_of_an_exemption_has_a_row_of_its_own() -> None:
    names = [f"user-{number}" for number in range(len(EXEMPTIONS))]
    cases = [*zip(names, EXEMPTIONS, strict=True)]
    before = [replace(entry, user=name) for name, (old, _, _) in cases for entry in old]
    now = [replace(entry, user=name) for name, (_, new, _) in cases for entry in new]
    one = snapshot(analysis_of(map(a_user, names), AS_OF, before))
    users = [a_user(name, key_1=a_key(SINCE)) for name in names]
    frame = changes(one, snapshot(analysis_of(users, LATER, now)))
    for name, case in cases:
        rows = frame[(frame["rule"] == "") & (frame["user"] == name)]
        told = rows[["change", "exemption_before", "exemption_now"]].to_numpy().tolist()
        assert told[0][0] == "no-longer-unused"
        assert told[1:] == ([list(case[2])] if case[2] else []), case


@pytest.mark.no_cover
def test_a_user_that_is_gone_or_another_has_no_exemption_to_lose() -> None:
    one = snapshot(analysis_of([a_user()], AS_OF, [an_exemption()]))
    for now in ([], [a_user(created=SINCE)]):
        frame = changes(one, snapshot_of(*now, as_of=LATER))
        assert "exemption-ended" not in frame["change"].tolist()
        assert frame.loc[0, "exemption_before"] == "Break-glass"


def findings(frame: Any) -> list[tuple[str, ...]]:
    rows = frame[frame["rule"] != ""]
    return [tuple(row) for row in rows[["change", "rule", "before", "now", "cause"]].to_numpy()]


FINDINGS = (
    (None, a_user(), [("finding-new", "unused-user", "", "fails", "user created on 2023-08-05")]),
    (
        a_user(),
        None,
        [
            (
                "finding-resolved",
                "unused-user",
                "fails",
                "",
                "user deleted or renamed; created on 2023-08-05",
            )
        ],
    ),
    (
        in_use(),
        in_use(mfa=True),
        [("finding-resolved", "console-user-without-mfa", "fails", "", "MFA device registered")],
    ),
    (
        in_use(mfa=True),
        in_use(mfa_active="?"),
        [
            (
                "finding-undecided",
                "console-user-without-mfa",
                "",
                "undecided",
                "MFA device not understood now",
            )
        ],
    ),
    (
        in_use(mfa_active="?"),
        in_use(),
        [
            (
                "finding-undecided",
                "console-user-without-mfa",
                "undecided",
                "fails",
                "MFA device not understood before",
            )
        ],
    ),
    (
        in_use(mfa=True, key_1=a_key(ONE_KEY, SINCE), key_2=a_key(ONE_KEY, SINCE)),
        in_use(mfa=True, key_1=a_key(ONE_KEY, SINCE), key_2=a_key(ONE_KEY, SINCE)),
        [("finding-new", "unrotated-access-key", "", "fails", "passed the limit of 90 days")] * 2,
    ),
)


@pytest.mark.no_cover
def test_a_finding_is_new_resolved_or_undecided() -> None:
    each = compared_each([(before, now) for before, now, _ in FINDINGS])
    for (before, now, expected), frame in zip(FINDINGS, each, strict=True):
        assert findings(frame) == expected, (before, now)


@pytest.mark.no_cover
def test_a_finding_about_the_root_is_compared_too() -> None:
    texts = report_text([]), report_text([], root=the_root(mfa_active="false"))
    sides = [
        snapshot(analyzer.analyze(analyzer.load(("report.csv", text.encode()), as_of=AS_OF)))
        for text in texts
    ]
    assert findings(changes(*sides)) == [
        ("finding-new", "root-without-mfa", "", "fails", "MFA device removed")
    ]


@pytest.mark.no_cover
def test_in_an_account_without_a_report_on_one_side_no_user_is_new_or_gone() -> None:
    here, there = a_user("ann"), a_user("bob", account=OTHER)
    one = snapshot_of(here, there)
    other = snapshot_of(here, as_of=LATER)
    for sides, side in (((one, other), "now"), ((other, one), "before")):
        same_time = [replace(each, as_of=dict.fromkeys(each.as_of, AS_OF)) for each in sides]
        frame = changes(*same_time)
        assert frame[["change", "account", "user", "cause"]].to_numpy().tolist() == [
            ["not-covered", OTHER, "", f"not covered {side}: there is no report of it"]
        ]


@pytest.mark.no_cover
def test_an_account_that_could_not_be_read_is_named_with_the_reason() -> None:
    now = snapshot_of(a_user())
    before = replace(now, as_of={}, missing={ACCOUNT: "Denied.", OTHER: "Timed out."})
    rows = changes(before, now)[["account", "cause"]].to_numpy().tolist()
    assert rows == [
        [ACCOUNT, "not covered before: Denied."],
        [OTHER, "not covered before: Timed out.; not covered now: there is no report of it"],
    ]


def test_without_an_earlier_report_the_accounts_that_are_not_covered_are_listed() -> None:
    report = replace(
        analysis_of([a_user()]).report,
        account_names={OTHER: AccountName(name="Pay")},
        not_covered=(
            UncoveredAccount(account=ACCOUNT, name="", reason="Denied."),
            UncoveredAccount(account=OTHER, name="", reason="Timed out."),
        ),
    )
    first = not_covered_rows(report)
    assert first[["cause", "account_name"]].to_numpy().tolist() == [
        ["not covered: Denied.", ""],
        ["not covered: Timed out.", "Pay"],
    ]
    assert not counts_by_kind(first)


@pytest.mark.no_cover
def test_accounts_have_the_newest_name_that_either_side_knows() -> None:
    users = [a_user("ann"), a_user("bob", account=OTHER), a_user("eve", account="9" * 12)]
    before, now = snapshot_of(), snapshot_of(*users, as_of=LATER)
    known = AccountName(name="Old"), AccountName(name="New")

    def named(side: Snapshot, names: dict[str, AccountName]) -> Snapshot:
        report = replace(side.analysis.report, account_names=names)
        moments = dict.fromkeys(now.as_of, report.files[0].as_of)
        return replace(side, as_of=moments, analysis=replace(side.analysis, report=report))

    older, newer = {ACCOUNT: known[0], OTHER: known[0]}, {OTHER: known[1]}
    frame = changes(named(before, older), named(now, newer))
    names = dict(zip(frame["user"], frame["account_name"], strict=True))
    assert names == {"ann": "Old", "bob": "New", "eve": ""}


def test_reports_in_the_wrong_order_are_not_compared() -> None:
    later = snapshot_of(a_user("ann"), as_of=AS_OF)
    earlier = snapshot_of(as_of=AS_OF - timedelta(seconds=1))
    frame = changes(later, earlier)
    assert frame["change"].tolist() == ["not-covered"]
    assert "is older" in frame["cause"][0]


@pytest.mark.no_cover
def test_a_user_of_the_same_name_in_another_account_is_another_user() -> None:
    before = [a_user(), a_user("bob", account=OTHER)]
    now = [a_user(), a_user(account=OTHER), a_user("bob", account=OTHER)]
    rows = user_changes(compared(before, now))
    assert [row[:2] for row in rows] == [("new", "quiet")]


@pytest.mark.no_cover
@pytest.mark.parametrize("seed", range(2))
def test_the_order_is_that_of_changes_accounts_and_arns_whatever_comes_in(seed: int) -> None:
    before = [a_user("b"), a_user("d"), a_user("e"), in_use(name="f", account=OTHER)]
    now = [
        a_user("z"),
        a_user("a", account=OTHER),
        a_user("y"),
        a_user("b", key_1=a_key(SINCE)),
        a_user("e"),
    ]
    shuffled = random.Random(seed)
    shuffled.shuffle(before)
    shuffled.shuffle(now)
    rows = user_changes(compared(before, now))
    assert [row[:2] for row in rows] == [
        ("new", "y"),
        ("new", "z"),
        ("new", "a"),
        ("gone", "d"),
        ("gone", "f"),
        ("no-longer-unused", "b"),
    ]


@pytest.mark.no_cover
@pytest.mark.parametrize("now", [[], [a_user(), in_use(name="ann")]])
def test_the_columns_have_one_kind_whether_anything_changed_or_not(now: list[Row]) -> None:
    frame = compared([], now)
    assert tuple(frame.columns) == COLUMNS
    kinds = frame.dtypes.astype(str).to_dict()
    names = ("change", "owner", "owner_email", "owner_left")
    assert {kinds.pop(name) for name in names} == {"category"}
    assert kinds.pop("last_use") == kinds.pop("created") == "datetime64[s, UTC]"
    assert set(kinds.values()) == {"str"}
    assert frame["change"].cat.categories.tolist() == list(Change)


@pytest.mark.no_cover
def test_the_newest_use_that_either_report_shows_is_given() -> None:
    one = in_use(key_1=a_key(FRESH, NEWER))
    frame = compared([one], [in_use(mfa=True)])
    assert f"{frame['last_use'][0]:%Y-%m-%d}" == IN_BETWEEN


@pytest.mark.no_cover
def test_neither_snapshot_is_changed() -> None:
    before, now = snapshot_of(a_user()), snapshot_of(in_use(), as_of=LATER)
    users, outcomes = before.users.copy(), now.outcomes.copy()
    changes(before, now)
    assert before.users.equals(users)
    assert (now.outcomes == outcomes).all()


def test_every_change_has_a_meaning_of_its_own() -> None:
    assert len({change.meaning for change in Change} - {""}) == len(Change)
