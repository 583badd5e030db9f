"""A terminal shows the answer, the users, the rules and the notes; a pipe gets one table."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

import analyzer
from analyzer.judging import rule_results as inspections
from analyzer.judging.analysis import Analysis
from analyzer.report import assemble
from analyzer.terms import Verdict
from analyzer.writers.terminal import HEADER
from analyzer.writers.user_lists import blind_spots_line
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    LONG_AGO,
    Row,
    a_key,
    a_password,
    a_user,
    days_before,
    no_password,
    report_text,
    saved,
    the_root,
)
from tests.support.golden import OF_EACH_KIND, of_each_kind
from tests.support.outputs import (
    ALL,
    CONSOLE,
    HARD_NAMES,
    SAMPLES,
    UNUSED,
    analysis_of,
    analyzed_sample,
    everything_shown,
    exemptions_of,
    hard_names,
    summary_text,
    table_text,
)

COLOURS = re.compile("\x1b\\[[0-9;]*m")
WIDTHS = (60, 120)


@pytest.mark.no_cover
def test_colours_change_nothing_but_colours() -> None:
    for width in WIDTHS:
        coloured = table_text(of_each_kind(), width=width, colour=True)
        assert COLOURS.search(coloured)
        assert COLOURS.sub("", coloured) == table_text(of_each_kind(), width=width)


@pytest.mark.no_cover
def test_no_line_is_wider_than_the_terminal() -> None:
    analysis = analyzed_sample(SAMPLES / "organization").where(
        analyzer.Filter(accounts=("2*", "3*"))
    )
    for width in (20, 80, 119, 120, 300):
        lines = table_text(analysis, width=width).splitlines()
        assert len(lines) > 20
        assert max(map(len, lines)) <= width


def test_what_is_filtered_out_is_said_below_the_answer() -> None:
    analysis = of_each_kind().where(analyzer.Filter(users=("b*",)))
    _, filtered, *_ = table_text(analysis, width=300).splitlines()
    assert filtered.startswith("Filter: user b*; ")
    assert filtered.endswith(" IAM users.")


def squeezed(text: str) -> str:
    """Return the text of the first column alone, without the spaces and lines that wrap it."""
    return "".join(text.split())


SPELLED_OUT = [name if name.isprintable() else repr(name)[1:-1] for name in HARD_NAMES]


@pytest.mark.parametrize("colour", [False, True])
def test_a_name_is_shown_whole_and_is_never_a_command_or_markup(*, colour: bool) -> None:
    analysis = hard_names()
    shown = COLOURS.sub("", table_text(analysis, width=160, colour=colour))
    assert all(sign.isprintable() for line in shown.split("\n") for sign in line)
    first_column = squeezed("".join(line[:54] for line in shown.split("\n")))
    assert [name for name in SPELLED_OUT if squeezed(name) not in first_column] == []


def test_a_pipe_gets_one_table_with_a_header_and_a_line_for_each_listed_user() -> None:
    lines = piped(of_each_kind())
    assert lines[0] == list(HEADER)
    assert {len(line) for line in lines} == {len(HEADER)}
    assert len(lines) == 1 + len(OF_EACH_KIND)
    assert lines[1][:6] == ["unused", ACCOUNT, "ann", "2023-11-13", "no-credentials", "certain"]


def test_a_name_stays_one_cell_of_one_line_in_a_pipe() -> None:
    lines = piped(hard_names())
    assert sorted(line[2] for line in lines[1:]) == sorted(SPELLED_OUT)


def piped(analysis: Analysis, verdicts: Sequence[Verdict] = ALL) -> list[list[str]]:
    lines = table_text(analysis, verdicts).removesuffix("\n").split("\n")
    return [line.split("\t") for line in lines]


def test_what_else_a_report_or_a_list_says_is_neither_command_nor_markup() -> None:
    exemptions = exemptions_of("*,ann,[red]\x1b[2J[/red],,", "\x1b[2J,[b]x[/b],why,,")
    user = a_user("ann") | {"mfa_active": "\x1b[2J[blink]"}
    shown = table_text(analysis_of([user], exemptions), width=160)
    assert "\x1b" not in shown
    assert r"[red]\x1b[2J[/red]" in shown
    assert r"The exemption of [b]x[/b] in account \x1b[2J matches no user." in shown
    assert r'mfa_active "\x1b[2J[blink]" is not understood' in shown


@pytest.mark.no_cover
@pytest.mark.parametrize("width", [*WIDTHS, 80, 119])
def test_the_answer_comes_first_one_verdict_is_not_repeated_and_rules_have_ids(width: int) -> None:
    lines = " ".join(table_text(of_each_kind(), UNUSED, width=width).split())
    assert lines.startswith(
        "4 of 8 IAM users are unused (1 certain, 2 to check, 1 exempt), account 012345678901 as of"
        " 2026-05-01 12:00 UTC (set with --as-of). Other users: 1 retired, 1 dormant, 1 active,"
        " 1 undetermined. User Created Reason"
    )
    assert "unused: has" not in lines
    assert width < 80 or "console-user-without-mfa" in lines
    assert "unused: has" in " ".join(table_text(of_each_kind(), ALL, width=width).split())


def test_where_no_user_is_listed_the_answer_says_so_and_there_is_no_table() -> None:
    analysis = analysis_of([a_user("frank", key_1=a_key(LONG_AGO, days_before(1)))])
    for width in WIDTHS:
        shown = table_text(analysis, UNUSED, width=width)
        assert piped(analysis, UNUSED) == [list(HEADER)]
        assert shown.startswith("0 of 1 IAM user is unused, ")
        assert "Other users: 1 active." in shown
        assert "Created" not in shown


@pytest.mark.no_cover
@pytest.mark.parametrize("width", [None, *WIDTHS])
def test_everything_that_all_outputs_say_is_said(width: int | None) -> None:
    shown = " ".join(everything_shown(of_each_kind(), width=width).split())
    for sentence in (
        "account 012345678901 as of 2026-05-01 12:00 UTC (set with --as-of).",
        "The exemption of carol in account * expired on 2026-04-30.",
        "The exemption of zoe in account * matches no user.",
        "Not visible in a credential report: SSH public keys;",
    ):
        assert sentence in shown


def test_service_specific_credentials_are_no_blind_spot_where_each_account_has_its_list() -> None:
    (listed,) = analyzer.load(CONSOLE).files
    assert "service-specific" not in blind_spots_line([listed])
    several = replace(listed, accounts=listed.accounts * 2)
    for other in (replace(listed, service_credentials=None), several):
        assert "service-specific" in blind_spots_line([listed, other])


def users_without_mfa(count: int, name: str = "u") -> list[Row]:
    return [a_user(f"{name}{n}", password=a_password(days_before(1))) for n in range(count)]


def test_each_rule_has_a_line_with_its_numbers_and_no_examples() -> None:
    shown = table_text(analysis_of(users_without_mfa(12)), UNUSED, width=80)
    assert "Findings: 12 high." in shown
    assert re.search(r"(?m)^high +Console user has no MFA device +12 fail *$", shown)
    assert "u1" not in shown


def test_details_show_the_first_findings_of_each_rule_and_how_many_more() -> None:
    analysis = analysis_of(users_without_mfa(12))
    shown = table_text(analysis, UNUSED, width=80, details=True)
    assert "high  Console user has no MFA device: 12 fail  console-user-without-mfa" in shown
    assert "and 7 more" in shown
    assert shown.count("no MFA device") == 1 + 5
    lines = summary_text(analysis, UNUSED, details=True).splitlines()
    assert f"    {ACCOUNT} u0: password enabled, last used 2026-04-30, no MFA device" in lines
    assert "    and 7 more" in lines
    assert not any("u0" in line for line in summary_text(analysis, UNUSED).splitlines())


def test_a_large_report_has_the_first_findings_of_each_rule_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspections, "MOST_ROWS_IN_ONE_ORDER", 0)
    monkeypatch.setattr(assemble, "PAGE_ROWS", 1)
    for name, count in (("a", 3), ("b", 4)):
        saved(tmp_path, report_text(users_without_mfa(count, name)), f"{name}.csv")
    analysis = analyzer.analyze(analyzer.load(tmp_path, as_of=AS_OF))
    shown = table_text(analysis, UNUSED, width=80, details=True)
    assert "high  Console user has no MFA device: " in shown
    assert shown.count("password enabled, last used") == 5


def test_that_there_are_no_findings_is_said() -> None:
    analysis = analysis_of([a_user("ann", password=a_password(days_before(1)), mfa=True)])
    for details in (False, True):
        for shown in (
            table_text(analysis, UNUSED, width=80, details=details),
            summary_text(analysis, UNUSED, details=details),
        ):
            assert "Findings: none." in shown


def test_a_user_listed_for_a_verdict_is_not_listed_again_for_its_rule() -> None:
    analysis = analysis_of([a_user("ann"), a_user("dave", password=no_password(LONG_AGO))])
    for verdicts in (UNUSED, (Verdict.RETIRED,), ALL):
        shown = table_text(analysis, verdicts, width=160, details=True)
        names = [len(re.findall(rf"(?m)^ *{name} ", shown)) for name in ("ann", "dave")]
        assert names == [1, 1]


def test_findings_that_are_no_failures_are_marked() -> None:
    users = [
        a_user("ann", password=a_password(days_before(1))),
        a_user("bob", password=a_password(days_before(1))) | {"mfa_active": "?"},
    ]
    analysis = analysis_of(users, exemptions_of("*,ann,by design,,"))
    shown = table_text(analysis, UNUSED, width=160, details=True)
    assert "Findings: 1 undecided." in shown
    head = "high  Console user has no MFA device: 1 exempt, 1 undecided  console-user-without-mfa"
    assert head in shown
    assert re.search(r"exempt: by design", shown)
    assert re.search(r'bob +mfa_active "\?" is not understood.* \(undecided\)', shown)
    lines = summary_text(analysis, UNUSED, details=True)
    assert re.search(r"ann: .*no MFA device \(exempt: by design\)\n", lines)
    assert re.search(r'bob: mfa_active "\?" is not understood.* \(undecided\)\n', lines)


def test_the_controls_of_a_standard_are_shown_if_it_is_selected() -> None:
    analysis = analysis_of([a_user("ann", password=a_password())])
    controls = analyzer.analyze(analysis.report, book=analyzer.rulebook("fsbp"))
    for width in (None, *WIDTHS):
        shown = everything_shown(controls, width=width)
        assert "\nFSBP: 2 pass, 2 fail, 5 not decidable from a report\n" in shown
        of_rule = "(: console-user-without-mfa)?"
        assert re.search(rf"IAM\.5\s+fail\s+\(?1 fail{of_rule}\)?\s+Console users have MFA", shown)
        assert shown.count("console-user-without-mfa") == 2
        assert re.search(r"IAM\.4\s+pass", shown)
        assert "Policies and groups are not in the report." in " ".join(shown.split())
    for width in (None, 80):
        assert "IAM.4" not in everything_shown(analysis, width=width)


def test_a_report_without_a_root_row_has_a_note() -> None:
    header, _, users = report_text([a_user("ann")]).split("\n", 2)
    report = analyzer.load(("report.csv", f"{header}\n{users}".encode()), as_of=AS_OF)
    analysis = analyzer.analyze(report)
    note = f"Note: The report has no root row of account {ACCOUNT}."
    for width in (None, 160):
        assert note in everything_shown(analysis, width=width)
    assert note not in summary_text(analysis, rules=False)


@pytest.mark.no_cover
def test_where_there_are_many_accounts_each_user_has_its_own(tmp_path: Path) -> None:
    for account in ("012345678901", "123456789012"):
        text = report_text([a_user("ann", account=account)], root=the_root(account))
        saved(tmp_path, text, f"{account}.csv")
    analysis = analyzer.analyze(analyzer.load(tmp_path))
    assert re.search(r"ann .*\n012345678901", table_text(analysis, width=80))
    assert "012345678901 ann" in table_text(analysis, width=160)


@pytest.mark.no_cover
def test_a_finding_names_its_account_though_the_examples_have_the_same(tmp_path: Path) -> None:
    bob, safe = (
        a_user("bob", account=ACCOUNT, password=a_password(days_before(1)), mfa=mfa)
        for mfa in (False, True)
    )
    saved(tmp_path, report_text([bob]), "a.csv")
    other = "123456789012"
    arn = f"arn:aws:iam::{other}:user/bob"
    saved(tmp_path, report_text([safe | {"arn": arn}], root=the_root(other)), "b.csv")
    analysis = analyzer.analyze(analyzer.load(tmp_path, as_of=AS_OF))
    assert f"  {ACCOUNT} bob" in table_text(analysis, UNUSED, width=160, details=True)
    narrow = table_text(analysis, UNUSED, width=80, details=True)
    assert re.search(rf"^  bob .*\n  {ACCOUNT} ", narrow, re.MULTILINE)
