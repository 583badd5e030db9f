"""Batches that do not depend on each other give the rows that one process gives."""

import json
import pickle
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import analyzer
from analyzer import batches
from analyzer.errors import InputRefused
from analyzer.files import sha256
from analyzer.limits import Criteria
from analyzer.report.input_formats import InputLimit, Limits
from tests.support.batch_folders import (
    NOON,
    account,
    damaged,
    files_in,
    many_processes,
    one_process,
    ordered,
    report_of,
    tricky_folder,
)
from tests.support.builders import AS_OF, a_user, report_text
from tests.support.outputs import CONSOLE, analyzed_console, listed_exemptions
from tests.support.reading import put


def surveys_of(folder: Path) -> pa.Table:
    return pa.Table.from_batches(batches.survey(*file) for file in files_in(folder))


@pytest.fixture(scope="module")
def tricky(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tricky_folder(tmp_path_factory.mktemp("tricky"))


@pytest.fixture(scope="module")
def surveyed(tricky: Path) -> pa.Table:
    return surveys_of(tricky)


@pytest.fixture(scope="module")
def whole(tricky: Path) -> tuple[pa.Table, pa.Table]:
    """Return the users and findings of the tricky folder as one process gives them."""
    return one_process(tricky)


@pytest.fixture(scope="module")
def split(tricky: Path) -> tuple[pa.Table, pa.Table, int]:
    """Return the users and findings of the tricky folder in many batches, and their number."""
    return many_processes(tricky, 1)


def planned(folder: Path, rows: int = 100_000) -> pd.Series:
    return batches.plan(surveys_of(folder), rows)


def together(batch_of: pd.Series) -> list[list[str]]:
    """Return the names of the files in each batch, without their folders."""
    return [
        sorted(Path(name).name for name in batch_of.index[batch_of == batch])
        for batch in batch_of.unique()
    ]


def test_each_file_has_a_bound_of_its_own_however_files_are_grouped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = [(f"{each}.csv", report_of(each, "ann").encode()) for each in (1, 2)]
    largest = max(len(content) for _, content in files)
    monkeypatch.setattr(batches, "InputLimit", partial(InputLimit, Limits(total=largest)))
    names, contents = zip(*files, strict=True)
    table = pa.RecordBatch.from_pydict({batches.PATH: names, batches.CONTENT: contents})
    (surveyed,) = batches.survey_files([table])
    assert surveyed["refused"].to_pylist() == [None, None]
    assert sum(batch.num_rows for batch in batches.judge(files)) == 2


@pytest.mark.no_cover
def test_a_tricky_folder_gives_the_rows_of_one_process(
    whole: tuple[pa.Table, pa.Table], split: tuple[pa.Table, pa.Table, int]
) -> None:
    *tables, number = split
    assert number > 5
    assert [*map(ordered, tables)] == [*map(ordered, whole)]


@pytest.mark.no_cover
def test_criteria_exemptions_rules_and_the_moment_are_those_of_one_process() -> None:
    moment = datetime(2027, 1, 1, tzinfo=UTC)
    criteria, book = Criteria(idle_days=10), analyzer.rulebook("cis-3.0")
    exemptions = listed_exemptions()
    file = (str(CONSOLE), CONSOLE.read_bytes())
    users = pa.Table.from_batches(batches.judge([file], criteria, exemptions, moment))
    findings = pa.Table.from_batches(batches.inspect([file], book, criteria, exemptions, moment))
    report = analyzer.load(file, as_of=moment)
    analysis = analyzer.analyze(report, criteria, exemptions, book)
    assert users["verdict"].to_pylist() == analysis.users["verdict"].tolist()
    assert users["exemption"].to_pylist() == analysis.users["exemption"].tolist()
    assert findings["fact"].to_pylist() == analysis.rule_results.findings["fact"].tolist()
    assert set(users["as_of"].to_pylist()) == {moment}


def test_a_survey_has_a_row_for_each_account_of_a_file(tricky: Path, surveyed: pa.Table) -> None:
    path = tricky / "2026-04-02/two.csv"
    assert surveyed.schema == batches.SURVEY
    rows = surveyed.to_pylist()
    one, other = (row for row in rows if row["file"] == str(path))
    assert (one["account"], one["rows"], one["roots"]) == (account(3), 2, 1)
    assert (other["account"], other["rows"], other["roots"]) == (account(4), 2, 1)
    assert one["content"] == other["content"] == one["sha256"]
    assert (one["as_of_source"], one["refused"]) == ("folder", None)
    names = {Path(row["file"]).name for row in rows}
    assert names.isdisjoint({"README.md", "empty.txt"})
    copies = [row for row in rows if Path(row["file"]).name.startswith(("copy", "z.json"))]
    assert [len({row[name] for row in copies}) for name in ("content", "sha256")] == [1, 3]
    moment = datetime(2027, 1, 1, tzinfo=UTC)
    (row,) = batches.survey(str(CONSOLE), CONSOLE.read_bytes(), moment).to_pylist()
    assert (row["as_of"], row["as_of_source"]) == (moment, "option")
    (row,) = batches.survey("text.csv", b"no report").to_pylist()
    assert (row["file"], row["account"]) == ("text.csv", None)
    assert "this is neither CSV nor whole base64" in row["refused"]


def test_results_have_no_row(tmp_path: Path) -> None:
    analyzer.write(analyzed_console(), tmp_path / "a.csv", tmp_path / "a.json")
    assert surveys_of(tmp_path).num_rows == 0


def test_a_moment_that_is_none_is_refused() -> None:
    moments: tuple[Any, ...] = ("2026-05-01", datetime(2026, 5, 1))  # noqa: DTZ001
    for moment in moments:
        with pytest.raises((TypeError, ValueError), match="as_of"):
            batches.survey("a.csv", b"", moment)


def test_what_depends_on_each_other_stays_together(surveyed: pa.Table) -> None:
    groups = together(batches.plan(surveyed, 1))
    one = ["copy-utf16.csv", "copy.csv.gz", "older.csv", NOON, "z.json"]
    assert [group for group in groups if "z.json" in group] == [sorted(one)]
    assert [NOON, NOON] in groups
    assert [NOON, "two.csv"] in groups
    beside = ["8.csv", "8.csv.metadata.json", "8.csv.service-credentials.json"]
    (group,) = (group for group in groups if "8.csv" in group)
    assert set(beside) <= {*group}
    assert "fetched.manifest.json" in groups[0]
    names = {name for group in groups for name in group}
    assert names.isdisjoint({"README.md", "empty.txt", "gone.csv.service-credentials.json"})


def test_a_batch_has_about_so_many_rows() -> None:
    files = [(f"{number}.csv", report_of(number, "ann").encode()) for number in range(4)]
    surveys = pa.Table.from_batches(batches.survey(*file) for file in files)
    for rows, expected in {1: "0123", 2: "0123", 3: "0012", 4: "0011", 9: "0000"}.items():
        batch_of = batches.plan(surveys, rows)
        assert "".join(map(str, batch_of)) == expected
        assert batch_of.index.tolist() == [name for name, _ in files]
        assert (batch_of.index.name, batch_of.name, str(batch_of.dtype)) == (
            "file",
            "batch",
            "int64",
        )


def test_the_plan_does_not_depend_on_the_order_of_the_surveys(surveyed: pa.Table) -> None:
    backwards = surveyed.take(list(range(len(surveyed)))[::-1])
    pd.testing.assert_series_equal(batches.plan(surveyed, 10), batches.plan(backwards, 10))


def test_accounts_that_hang_together_over_several_files_stay_together() -> None:
    texts = {f"{number}.csv": _of_accounts(number, number + 1) for number in range(5)}
    texts["alone.csv"] = _of_accounts(20)
    batch_of = batches.plan((batches.survey(name, text) for name, text in texts.items()), 1)
    assert batch_of.drop("alone.csv").nunique() == 1
    assert batch_of.nunique() == 2


def _of_accounts(*numbers: int) -> bytes:
    users = [a_user(f"user-{number}", account=account(number)) for number in numbers]
    return report_text(users).replace("012345678901", account(numbers[0])).encode()


def test_all_refusals_are_raised_together(tmp_path: Path) -> None:
    folder = damaged(tricky_folder(tmp_path))
    with pytest.raises(InputRefused) as refused:
        planned(folder)
    assert [Path(each.file).name for each in refused.value.problems] == [
        *("31.csv.metadata.json", "32.csv.service-credentials.json", "damaged.csv", "text.csv")
    ]
    with pytest.raises(InputRefused) as alone:
        analyzer.load(folder)
    assert {*refused.value.problems} == {*alone.value.problems}
    again = pickle.loads(pickle.dumps(refused.value))
    assert (again.problems, str(again)) == (refused.value.problems, str(refused.value))
    put(tricky_folder(tmp_path / "other"), "{", "fetched.manifest.json")
    with pytest.raises(InputRefused, match=r"fetched.manifest.json: it is not valid JSON"):
        planned(tmp_path / "other")
    for files in ([], [("README.md", b"# Notes")]):
        with pytest.raises(InputRefused, match="there is no report among them"):
            batches.plan(batches.survey(*file) for file in files)


def test_several_reports_that_mask_their_accounts_are_refused_as_by_one_process() -> None:
    masked = {f"{each}.csv": report_of(each, "ann").replace("::0", "::X") for each in (1, 2)}
    files = [(name, text.encode()) for name, text in (masked | {"3.csv": report_of(3)}).items()]
    surveys = [batches.survey(*file) for file in files]
    with pytest.raises(InputRefused, match="the account numbers are masked") as refused:
        batches.plan(surveys)
    with pytest.raises(InputRefused) as alone:
        analyzer.load(*files)
    assert refused.value.problems == alone.value.problems
    assert len(batches.plan(surveys[1:])) == 2


def test_accounts_that_are_not_covered_are_listed_once(
    split: tuple[pa.Table, pa.Table, int],
) -> None:
    users, findings, _ = split
    missing = users.to_pandas().query("verdict == 'not-covered'")
    assert missing["account"].tolist() == [account(20), account(3), account(21)]
    assert findings["rule"].to_pylist().count("not-covered") == 3
    (ida,) = users.to_pandas().query("user == 'ida'").to_dict("records")
    assert ida["as_of_source"] == "metadata"


@pytest.mark.no_cover
def test_a_report_elsewhere_covers_an_account_by_the_moment_of_its_metadata(tmp_path: Path) -> None:
    put(tmp_path, report_of(8, "ida"), "8.csv")
    metadata = {"generated_time": AS_OF.isoformat(), "sha256": sha256(tmp_path / "8.csv")}
    put(tmp_path, json.dumps(metadata), "8.csv.metadata.json")
    put(tmp_path, report_of(5, "flo"), "5.csv")
    entry = {"name": "", "reason": "no."}
    failed = {**entry, "account": account(8), "status": "failed"}
    # After the newest timestamp in 8.csv, and before the moment in its metadata.
    moment = "2026-04-30T12:00:00Z"
    other = {**entry, "account": account(40), "status": "fetched", "generated_time": moment}
    put(tmp_path, json.dumps({"accounts": [failed, other]}), "fetched.manifest.json")
    users, _, number = many_processes(tmp_path, 1)
    assert number > 1
    assert ordered(users) == ordered(one_process(tmp_path)[0])
    assert "not-covered" not in users["verdict"].to_pylist()


def arrow_files(files: Iterable[batches.File]) -> pa.Table:
    names, contents = map(pa.array, zip(*files, strict=True))
    return pa.table({"path": names, "content": contents, "batch": [0] * len(names)})


def test_the_same_three_work_on_arrow_tables_in_any_order_and_can_be_pickled(
    tricky: Path, surveyed: pa.Table, whole: tuple[pa.Table, pa.Table]
) -> None:
    files = arrow_files(reversed(files_in(tricky)))
    in_pieces = batches.survey_files(files.to_batches(max_chunksize=4))
    assert ordered(pa.Table.from_batches(in_pieces)) == ordered(surveyed)
    choices = {"criteria": Criteria(), "surveys": surveyed}
    users = partial(batches.judge_files, **choices)
    findings = partial(batches.inspect_files, book=analyzer.rulebook(), **choices)
    for function, expected in zip((users, findings), whole, strict=True):
        assert ordered(pickle.loads(pickle.dumps(function))(files)) == ordered(expected)


# The samples for engines


@pytest.fixture
def sample() -> Any:
    """Return the sample for Dask, in whose processes this process stands for all workers."""
    dask = pytest.importorskip("dask")
    with dask.config.set(scheduler="synchronous"):
        yield import_module("samples.engines.dask")


@pytest.mark.no_cover
def test_dask_gives_the_rows_of_one_process(
    sample: Any,
    tricky: Path,
    whole: tuple[pa.Table, pa.Table],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sample.run(str(tricky), str(tmp_path / "users"), rows=20)
    users = pq.read_table(tmp_path / "users")
    assert users.schema == analyzer.USERS
    assert ordered(users) == ordered(whole[0])
    assert f", users {len(users)}" in capsys.readouterr().out


@pytest.mark.no_cover
def test_dask_writes_nothing_where_a_file_is_refused(sample: Any, tmp_path: Path) -> None:
    with pytest.raises(InputRefused):
        sample.run(str(damaged(tmp_path / "reports")), str(tmp_path / "users"))
    assert not (tmp_path / "users").exists()
