"""The table is made for reading: wrapped on a terminal, one plain line a user in a pipe."""

import re
from pathlib import Path

import pytest

import analyzer
from analyzer import inspection as inspections
from analyzer.analysis import Analysis
from analyzer.report import assemble
from analyzer.terms import Verdict
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    LONG_AGO,
    ROOT_FOLDER,
    Row,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    no_password,
    report_text,
    saved,
    the_root,
)
from tests.support.outputs import (
    ALL,
    HARD_NAMES,
    SAMPLES,
    UNUSED,
    analyzed,
    exemptions_of,
    table_text,
)

GOLDEN = ROOT_FOLDER / "tests" / "golden"
COLOURS = re.compile("\x1b\\[[0-9;]*m")
WIDTHS = (80, 160)

OF_EACH_KIND: tuple[Row, ...] = (
    a_user("ann", created=days_before(900)),
    a_user("bob.with-a-rather-long-name@example.org", password=a_password(), mfa=True),
    a_user("break-glass", password=a_password(), created=days_before(700)),
    a_user("carol", key_1=an_inactive_key(LONG_AGO, days_before(500))),
    a_user("dave", password=no_password(days_before(400))),
    a_user("erin", password=a_password(days_before(90))),
    a_user("frank", key_1=a_key(LONG_AGO, days_before(1))),
    a_user("grace") | {"password_enabled": "wahr"},
)


def of_each_kind(folder: Path) -> Analysis:
    exemptions = exemptions_of(
        '*,break-*,"Break-glass access, unused by design",Security,',
        "*,carol,On leave,Ops,2026-04-30",
        "*,zoe,Gone,Ops,",
    )
    return analyzed(folder, OF_EACH_KIND, exemptions)


@pytest.mark.parametrize(
    ("name", "width", "verdicts"),
    [
        ("table-piped", None, ALL),
        ("table-80-columns", 80, ALL),
        ("table-160-columns", 160, ALL),
        ("table-80-columns-unused", 80, UNUSED),
    ],
)
def test_the_table_is_the_one_that_was_looked_at(
    tmp_path: Path, name: str, width: int | None, verdicts: tuple[Verdict, ...]
) -> None:
    golden = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")
    assert table_text(of_each_kind(tmp_path), verdicts, width=width) == golden


@pytest.mark.parametrize("width", WIDTHS)
def test_colours_change_nothing_but_colours(tmp_path: Path, width: int) -> None:
    analysis = of_each_kind(tmp_path)
    coloured = table_text(analysis, width=width, colour=True)
    assert COLOURS.search(coloured)
    assert COLOURS.sub("", coloured) == table_text(analysis, width=width)


@pytest.mark.parametrize("width", [20, 40, 80, 119, 120, 160, 300])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    analysis = analyzer.analyze(analyzer.load(SAMPLES / "organization"))
    assert max(map(len, table_text(analysis, width=width).splitlines())) <= width


def squeezed(text: str) -> str:
    """Return the text of the first column alone, without the spaces and lines that wrap it."""
    return "".join(text.split())


SPELLED_OUT = [name if name.isprintable() else repr(name)[1:-1] for name in HARD_NAMES]


@pytest.mark.parametrize("colour", [False, True])
def test_a_name_is_shown_whole_and_is_never_a_command_or_markup(
    tmp_path: Path, *, colour: bool
) -> None:
    analysis = analyzed(tmp_path, map(a_user, HARD_NAMES))
    shown = COLOURS.sub("", table_text(analysis, width=160, colour=colour))
    assert all(sign.isprintable() for line in shown.split("\n") for sign in line)
    first_column = squeezed("".join(line[:54] for line in shown.split("\n")))
    assert [name for name in SPELLED_OUT if squeezed(name) not in first_column] == []


def test_a_name_stays_one_cell_of_one_line_in_a_pipe(tmp_path: Path) -> None:
    analysis = analyzed(tmp_path, map(a_user, HARD_NAMES))
    lines = table_text(analysis).split("\n\n")[0].split("\n")
    assert sorted(line.split("\t")[2] for line in lines) == sorted(SPELLED_OUT)


def test_what_else_a_report_or_a_list_says_is_neither_command_nor_markup(tmp_path: Path) -> None:
    exemptions = exemptions_of("*,ann,[red]\x1b[2J[/red],,", "\x1b[2J,[b]x[/b],why,,")
    user = a_user("ann") | {"mfa_active": "\x1b[2J[blink]"}
    analysis = analyzed(tmp_path, [user], exemptions)
    for width in (None, 160):
        shown = table_text(analysis, width=width)
        assert "\x1b" not in shown
        assert r"[red]\x1b[2J[/red]" in shown
        assert r"The exemption of [b]x[/b] in account \x1b[2J matches nobody." in shown
        assert r'mfa_active "\x1b[2J[blink]" is not understood' in shown


@pytest.mark.parametrize("width", [None, *WIDTHS])
def test_that_nobody_is_listed_is_told(tmp_path: Path, width: int | None) -> None:
    analysis = analyzed(tmp_path, [a_user("frank", key_1=a_key(LONG_AGO, days_before(1)))])
    shown = table_text(analysis, UNUSED, width=width)
    assert "frank" not in shown.partition("active")[0]
    assert ("Nobody is unused." in shown) == (width is not None)
    assert re.search(r"\b0\s+unused\s", shown)
    assert re.search(r"\b1\s+active", shown)


@pytest.mark.parametrize("width", [None, *WIDTHS])
def test_everything_that_all_outputs_say_is_said(tmp_path: Path, width: int | None) -> None:
    shown = " ".join(table_text(of_each_kind(tmp_path), width=width).split())
    for told in (
        "As of 2026-05-01 12:00 UTC (as given with --as-of), account 012345678901",
        "The exemption of carol in account * expired on 2026-04-30.",
        "The exemption of zoe in account * matches nobody.",
        "No report can show: SSH public keys (CodeCommit);",
    ):
        assert told in shown


def test_no_line_about_all_users_begins_with_a_verdict(tmp_path: Path) -> None:
    lines = table_text(of_each_kind(tmp_path)).split("\n")
    begins = [line for line in lines if line.startswith(ALL)]
    assert len(begins) == len(OF_EACH_KIND)
    assert {line.count("\t") for line in begins} == {7}


def test_what_the_rules_found_is_shown_a_few_of_each_and_the_number_of_the_rest(
    tmp_path: Path,
) -> None:
    users = [a_user(f"u{n}", password=a_password(days_before(1))) for n in range(12)]
    shown = table_text(analyzed(tmp_path, users), UNUSED, width=80)
    assert "Findings: 12 high." in shown
    assert "high  Console user has no MFA device: 12" in shown
    assert "and 7 more" in shown
    assert shown.count("no MFA device") == 1 + 5
    assert len([line for line in piped(analyzed(tmp_path, users)) if line[0] == "high"]) == 12


def test_a_large_report_shows_a_few_of_each_and_the_number_of_the_rest_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspections, "ORDERED_ROWS", 0)
    monkeypatch.setattr(assemble, "PAGE_ROWS", 1)
    for name, count in (("a", 3), ("b", 4)):
        users = [a_user(f"{name}{n}", password=a_password(days_before(1))) for n in range(count)]
        saved(tmp_path, report_text(users), f"{name}.csv")
    analysis = analyzer.analyze(analyzer.load(tmp_path, as_of=AS_OF))
    shown = table_text(analysis, UNUSED, width=80)
    assert "high  Console user has no MFA device: " in shown
    assert shown.count("password enabled, last used") == 5


@pytest.mark.parametrize("width", [None, 80])
def test_that_nothing_was_found_is_told(tmp_path: Path, width: int | None) -> None:
    user = a_user("ann", password=a_password(days_before(1)), mfa=True)
    shown = table_text(analyzed(tmp_path, [user]), UNUSED, width=width)
    assert "Findings: none." in shown


def piped(analysis: Analysis) -> list[list[str]]:
    return [line.split("\t") for line in table_text(analysis).splitlines()]


def test_who_is_listed_for_a_verdict_is_not_listed_again_for_its_rule(tmp_path: Path) -> None:
    analysis = analyzed(tmp_path, [a_user("ann"), a_user("dave", password=no_password(LONG_AGO))])
    for verdicts, expected in ((UNUSED, [1, 1]), ((Verdict.RETIRED,), [1, 1]), (ALL, [1, 1])):
        shown = table_text(analysis, verdicts, width=160)
        names = [len(re.findall(rf"(?m)^ *{name} ", shown)) for name in ("ann", "dave")]
        assert names == expected


def test_findings_that_are_no_failures_are_marked(tmp_path: Path) -> None:
    users = [
        a_user("ann", password=a_password(days_before(1))),
        a_user("bob", password=a_password(days_before(1))) | {"mfa_active": "?"},
    ]
    exemptions = exemptions_of("*,ann,by design,,")
    shown = table_text(analyzed(tmp_path, users, exemptions), UNUSED, width=160)
    assert "Findings: none." in shown
    head = "high  Console user has no MFA device: 1 exempt, 1 undecided  console-user-without-mfa"
    assert head in shown
    assert re.search(r"exempt: by design", shown)
    assert re.search(r'bob +mfa_active "\?" is not understood.* \(undecided\)', shown)


@pytest.mark.parametrize("width", [None, *WIDTHS])
def test_the_controls_are_shown_of_a_standard_that_was_asked_for(
    tmp_path: Path, width: int | None
) -> None:
    path = saved(tmp_path, report_text([a_user("ann", password=a_password())], root=the_root()))
    report = analyzer.load(path, as_of=AS_OF)
    book = analyzer.rulebook("fsbp")
    shown = table_text(analyzer.analyze(report, book=book), width=width)
    assert re.search(r"IAM\.5\s+fail\s+1\s+Console users have MFA", squeeze(shown, width))
    assert re.search(r"IAM\.4\s+pass", squeeze(shown, width))
    assert "Policies and groups are not in the report." in shown
    assert "IAM.4" not in table_text(analyzer.analyze(report), width=width)


def squeeze(shown: str, width: int | None) -> str:
    """Bring the cells of a pipe's line, result first, into the order of a terminal."""
    if width is not None:
        return shown
    return re.sub(r"(?m)^([a-z ]+)\t([\w.]+)\t", r"\2\t\1\t", shown)


@pytest.mark.parametrize("width", [None, 160])
def test_that_a_rule_did_not_see_the_root_is_told(tmp_path: Path, width: int | None) -> None:
    text = report_text([a_user("ann")])
    header, _, users = text.split("\n", 2)
    path = saved(tmp_path, f"{header}\n{users}")
    shown = table_text(analyzer.analyze(analyzer.load(path, as_of=AS_OF)), width=width)
    assert f"Note: The report has no root row of account {ACCOUNT}." in shown


def two_accounts(folder: Path) -> Analysis:
    for account in ("012345678901", "123456789012"):
        text = report_text([a_user("ann", account=account)], root=the_root(account))
        saved(folder, text, f"{account}.csv")
    return analyzer.analyze(analyzer.load(folder))


@pytest.mark.parametrize(
    ("width", "between"), [(80, r"ann .*\n012345678901"), (160, "012345678901 ann")]
)
def test_where_there_are_many_accounts_each_user_has_its_own(
    tmp_path: Path, width: int, between: str
) -> None:
    assert re.search(between, table_text(two_accounts(tmp_path), width=width))


def test_the_account_of_a_finding_is_told_though_those_shown_have_the_same(tmp_path: Path) -> None:
    bob, safe = (
        a_user("bob", account=ACCOUNT, password=a_password(days_before(1)), mfa=mfa)
        for mfa in (False, True)
    )
    saved(tmp_path, report_text([bob]), "a.csv")
    other = "123456789012"
    arn = f"arn:aws:iam::{other}:user/bob"
    saved(tmp_path, report_text([safe | {"arn": arn}], root=the_root(other)), "b.csv")
    analysis = analyzer.analyze(analyzer.load(tmp_path, as_of=AS_OF))
    assert f"{ACCOUNT} bob" in table_text(analysis, UNUSED, width=160)


def test_where_there_is_one_verdict_it_is_not_repeated(tmp_path: Path) -> None:
    analysis = of_each_kind(tmp_path)
    assert "unused: has" in table_text(analysis, ALL, width=160)
    assert "unused: has" not in table_text(analysis, UNUSED, width=160)
