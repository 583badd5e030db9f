"""The Python API is small, quick to import, and its frames can be gone on with."""

import ast
import gzip
import io
import pydoc
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal, assert_series_equal

import analyzer
from analyzer.decisions.ledger import ledger_bytes
from analyzer.limits import Criteria, Definition
from analyzer.report.model import Exemptions
from analyzer.terms import Verdict
from tests.support.builders import (
    AS_OF,
    ROOT_FOLDER,
    a_key,
    a_user,
    run,
)
from tests.support.decisions import line
from tests.support.named_reports import load_named
from tests.support.outputs import (
    CONSOLE,
    SAMPLES,
    UNUSED,
    analysis_of,
    analyzed_console,
    csv_bytes,
    json_bytes,
    listed_exemptions,
)

PLAIN = SAMPLES / "organization" / "012345678901.csv"
HEAVY = {"boto3", "botocore", "numpy", "openpyxl", "pandas", "pyarrow", "rich", "typer"}


def test_the_names_that_are_offered_are_there_and_another_is_missed_as_usual() -> None:
    for name in analyzer.__all__:
        public = getattr(analyzer, name)
        assert name in ("FINDINGS", "USERS", "__version__") or public.__name__ == name
    assert set(dir(analyzer)) == ({"batches"} | set(analyzer.__all__))
    assert analyzer.__version__ == version("credreport")
    assert analyzer.__getattr__("batches").__name__ == "analyzer.batches"
    text = pydoc.plain(pydoc.render_doc(analyzer))
    assert [name for name in ("VERSION", *analyzer.__all__[1:]) if name not in text] == []
    with pytest.raises(AttributeError, match="module 'analyzer' has no attribute 'analyse'"):
        analyzer.analyse  # noqa: B018  # the look-up is what fails


def test_type_checkers_see_the_names_that_are_offered() -> None:
    tree = ast.walk(ast.parse(Path(analyzer.__file__).read_text(encoding="utf-8")))
    imports = [node for node in tree if isinstance(node, ast.ImportFrom) and node.module]
    ours = [node for node in imports if str(node.module).startswith("analyzer.")]
    names = [str(alias.asname) for node in ours for alias in node.names]
    assert sorted(names) == sorted(analyzer.__all__)


def test_a_list_is_read_from_a_path_bytes_or_named_bytes(tmp_path: Path) -> None:
    path = SAMPLES / "exemptions.csv"
    content = path.read_bytes()
    entries = analyzer.read_exemptions(path).entries
    assert entries
    for source in (str(path), content, ("list.csv", content)):
        assert analyzer.read_exemptions(source).entries == entries
    ledger = tmp_path / "decisions.csv"
    ledger.write_bytes(ledger_bytes([line("keep", a_user("ann"))]))
    assert analyzer.read_ledger(ledger).lines == analyzer.read_ledger(ledger.read_bytes()).lines


def test_a_list_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(analyzer.InputRefused, match="No such file or directory") as refused:
        analyzer.read_exemptions(tmp_path / "nowhere.csv")
    assert isinstance(refused.value, analyzer.CredreportError)


def test_two_analyses_are_compared() -> None:
    before, now = analysis_of([a_user("ann")]), analysis_of([a_user("ann"), a_user("bob")])
    compared = analyzer.diff(before, now)
    assert compared.changes["user"].tolist()[:1] == ["bob"]
    assert repr(compared) == f"<Comparison: changes {len(compared.changes)}, accounts 1>"


def test_importing_the_package_imports_nothing_heavy() -> None:
    asked = f"import analyzer, sys; print(*sorted({HEAVY} & set(sys.modules)))"
    program = [sys.executable, "-c", asked]
    done = subprocess.run(program, cwd=ROOT_FOLDER, capture_output=True, check=True)
    assert done.stdout.split() == []


def test_load_analyze_write_give_the_bytes_that_the_command_line_gives(tmp_path: Path) -> None:
    names = ("a.csv", "a.json", "cli.csv", "cli.json")
    csv, data, cli_csv, cli_data = (tmp_path / name for name in names)
    analyzer.write(analyzed_console(), csv, str(data))
    words = ("--exemptions", SAMPLES / "exemptions.csv", "-o", cli_csv, "-o", cli_data)
    assert run("analyze", CONSOLE, *words).code == 0
    assert csv.read_bytes() == cli_csv.read_bytes() == csv_bytes(analyzed_console(), UNUSED)
    assert data.read_bytes() == cli_data.read_bytes() == json_bytes(analyzed_console(), UNUSED)


def test_users_are_a_frame_that_a_notebook_can_go_on_with() -> None:
    users = analyzed_console().users
    unused = users[users["verdict"] == "unused"]
    ages = (users["as_of"] - users["created"]).dt.days.astype("Int64")
    assert_series_equal(users["age_days"], ages, check_names=False)
    by_reason = unused.groupby("reason", observed=True)["user"].count()
    assert by_reason[["never-signed-in", "inactive-keys-only"]].tolist() == [8, 6]
    assert str(users["created"].dt.tz) == "UTC"
    assert users.index.tolist() == list(range(len(users)))


def test_unused_users_findings_and_counts_are_at_hand_and_completion_offers_no_internals() -> None:
    analysis = analyzed_console()
    unused = analysis.users["verdict"] == "unused"
    assert_frame_equal(analysis.unused, analysis.users[unused].reset_index(drop=True))
    assert_frame_equal(analysis.findings, analysis.rule_results.findings)
    assert analysis.counts == analysis.users["verdict"].value_counts().to_dict()
    offered = set(dir(analysis))
    assert {"users", "unused", "findings", "counts", "where", "explain"} <= offered
    assert [name for name in offered if not hasattr(analysis, name)] == []
    assert offered.isdisjoint(("judged", "pages", "totals", "_of_pages"))


def test_criteria_decide_and_take_the_definition_as_a_word() -> None:
    strict = analysis_of([a_user("ann", key_1=a_key(active=False))], definition="iam-029")
    assert strict.criteria.definition is Definition.IAM_029
    assert strict.users["verdict"].tolist() == [Verdict.RETIRED]
    least = Criteria(idle_days=1, grace_days=0)
    assert (least.idle_days, least.grace_days) == (1, 0)


def test_criteria_that_mean_nothing_are_refused() -> None:
    for name, wrong, says in (
        ("definition", "iam-030", "'iam-030' is not a valid Definition"),
        *(("idle_days", wrong, f"1 or more: {wrong!r}") for wrong in (0, "90", None, 1.5, True)),
        ("grace_days", -1, "grace_days must be a whole number of days, 0 or more: -1"),
    ):
        with pytest.raises(ValueError, match=re.escape(says)):
            Criteria(**{name: wrong})  # type: ignore[arg-type]  # that is the point


@cache
def plain_users() -> pd.DataFrame:
    return analyzer.load(PLAIN, as_of=AS_OF).users


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_the_bytes_of_a_report_give_what_its_file_gives(pack: Callable[[bytes], bytes]) -> None:
    report = analyzer.load(pack(PLAIN.read_bytes()), as_of=AS_OF)
    assert [file.name for file in report.files] == ["bytes 1"]
    assert_frame_equal(report.users, plain_users().assign(file=report.users["file"]))


def test_paths_and_reports_in_memory_are_one_report() -> None:
    other = SAMPLES / "organization" / "222233334444.csv"
    report = analyzer.load(PLAIN, other.read_bytes())
    assert [file.name for file in report.files] == [str(PLAIN), "bytes 2"]


def test_an_archive_in_memory_is_unpacked() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(PLAIN, PLAIN.name)
    report = analyzer.load(packed.getvalue())
    assert [file.name for file in report.files] == [f"bytes 1:{PLAIN.name}"]


# In a notebook


def test_a_report_is_shown_in_a_line_and_as_a_table() -> None:
    report = analyzer.load(PLAIN, as_of=AS_OF)
    assert repr(report) == "<Report: IAM users 7, files 1, as of 2026-05-01 12:00 UTC>"
    html = report._repr_html_()
    assert "<caption>Report: IAM users 7, files 1, as of 2026-05-01 12:00 UTC</caption>" in html
    row = "</td><td>012345678901</td><td>7</td><td>2026-05-01 12:00</td><td>option</td></tr>"
    assert row in html
    shown = repr(analyzer.load(SAMPLES / "organization"))
    assert shown.endswith("files 6, as of 2025-06-16 03:10 UTC to 2026-02-27 23:41 UTC>")
    html = load_named(("<script>.csv", PLAIN.read_bytes()))._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;.csv" in html


def test_an_analysis_is_shown_with_its_counts_in_a_line_and_as_a_table() -> None:
    analysis = analyzed_console()
    counts = "undetermined 3, unused 26, retired 4, dormant 6, active 8"
    assert repr(analysis) == f"<Analysis: IAM users 47, {counts}>"
    exempt = analysis.totals.user_count(Verdict.UNUSED, exempt=True)
    assert f"<tr><td>unused</td><td>26</td><td>{exempt}</td></tr>" in analysis._repr_html_()
    part = analysis.where(analyzer.Filter(users=("svc*",)))
    assert repr(part).startswith("<FilteredAnalysis: IAM users 6, ")


def test_cells_that_are_not_understood_are_missing_in_users_and_never_false() -> None:
    odd = a_user("bob") | {"mfa_active": "?", "password_enabled": "?"}
    analysis = analysis_of([a_user("ann", mfa=True), odd, a_user("cid")])
    for frame in (analysis.users, analysis.report.users):
        assert frame["mfa_active"].tolist() == [True, pd.NA, False]
        assert frame["password_enabled"].isna().tolist() == [False, True, False]


def test_what_the_api_returns_is_shown_in_a_line() -> None:
    analysis = analyzed_console()
    (unused,), (root,) = map(analysis.explain, ("lena.hartwig", "<root_account>"))
    book, findings = analysis.rule_results.book, analysis.rule_results.findings
    arn = "arn:aws:iam::123456789012"
    assert list(map(repr, (book, book.rules[0], analysis.rule_results, analysis.exemptions))) == [
        f"<Rulebook: credreport, rules {len(book.rules)}>",
        "<Rule unused-user>",
        f"<RuleResults: findings {len(findings)}, rules {len(book.rules)}>",
        f"<Exemptions: entries {len(analysis.exemptions)}>",
    ]
    assert repr(unused) == f"<Explanation: {arn}:user/team/sales/lena.hartwig, unused>"
    assert repr(root) == f"<Explanation: {arn}:root, no verdict>"


def test_users_have_the_name_of_their_file_and_their_access_keys() -> None:
    created = datetime(2025, 1, 1, tzinfo=UTC)
    keys = [a_key(created, AS_OF), a_key(created, active=False), {}, a_key(created)]
    rows = [a_user(f"user{at}", key_2=key) for at, key in enumerate(keys)]
    rows[3]["access_key_2_active"] = "?"
    users = analysis_of(rows).users
    assert users["file"].tolist() == ["report.csv"] * 4
    assert users["access_key_2_active"].tolist() == [True, False, False, pd.NA]
    assert users["access_key_1_active"].tolist() == [False] * 4
    assert users["access_key_2_last_rotated"].notna().tolist() == [True, True, False, True]
    assert users["access_key_2_last_used_date"].notna().tolist() == [True, False, False, False]
    assert users["access_key_2_last_rotated"][0] == pd.Timestamp(created)


def test_a_filter_takes_several_patterns() -> None:
    for wrong in ({"users": "svc-*"}, {"accounts": "123456789012"}):
        with pytest.raises(TypeError, match="accounts, users, … are several words"):
            analyzer.Filter(**wrong)  # type: ignore[arg-type]  # that is the point


def test_a_moment_without_its_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="as_of lacks its zone"):
        analyzer.load(CONSOLE, as_of=datetime(2026, 5, 1))  # noqa: DTZ001  # that is the point


def test_an_analysis_needs_nothing_but_a_report_and_exemptions_may_be_any_iterable() -> None:
    alone = analyzer.analyze(analyzer.load(CONSOLE))
    assert (alone.criteria, alone.exemptions) == (Criteria(), Exemptions())
    analysis = analyzer.analyze(analyzer.load(CONSOLE), exemptions=iter(listed_exemptions()))
    assert analysis.exemptions == Exemptions(listed_exemptions().entries)
    assert csv_bytes(analysis) == csv_bytes(analyzed_console())
