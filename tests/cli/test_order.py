"""No output depends on the order in which the files are named."""

import io
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

import pytest

import analyzer
from analyzer.cli import main
from analyzer.decisions.ledger import ledger_bytes
from analyzer.terms import OUTPUT_ENDINGS, Format, Verdict
from analyzer.writers import write_format
from tests.support.builders import (
    AS_OF,
    a_key,
    a_password,
    a_user,
    days_before,
    report_text,
    run,
    saved,
    the_root,
)
from tests.support.decisions import console_name, line
from tests.support.outputs import table_text

pytestmark = pytest.mark.no_cover  # other tests reach the same lines

ACCOUNTS = ("333333333333", "111111111111", "222222222222")
EARLIER = AS_OF - timedelta(days=20)
Files = list[Path]


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Give two reports of each account, and another half of the first one's."""
    folder = tmp_path_factory.mktemp("reports")
    files = []
    for number, account in enumerate(ACCOUNTS):
        quiet = a_user("quiet", account=account, created=days_before(number + 30))
        busy = a_user("busy", account=account, key_1=a_key(days_before(50), days_before(number)))
        root = the_root(account)
        for as_of, users in ((EARLIER, [quiet]), (AS_OF, [busy, quiet])):
            (folder / str(number)).mkdir(exist_ok=True)
            text = report_text(users, root=root)
            files.append(saved(folder / str(number), text, console_name(as_of)))
    return files


def both_orders(files: Files, result: Callable[[Files], Any]) -> Any:
    """Return what is the same for files in one order and in the other."""
    one, other = result(files), result(files[::-1])
    assert one == other
    return one


def written(folder: Path) -> dict[str, bytes]:
    """Return the files in a folder, and make it empty."""
    found = {path.name: path.read_bytes() for path in folder.iterdir()}
    for name in found:
        (folder / name).unlink()
    return found


def test_every_output_of_an_analysis(reports: Files, tmp_path: Path) -> None:
    endings = [*OUTPUT_ENDINGS]

    def outputs(files: Files) -> Iterator[tuple[str, bytes | str]]:
        analysis = analyzer.analyze(analyzer.load(*files))
        targets = [tmp_path / f"users{ending}" for ending in endings]
        for findings in ("findings.csv", "findings.parquet"):
            analyzer.write(analysis, verdicts=[*Verdict], findings=tmp_path / findings)
        analyzer.write(analysis, *targets, verdicts=[*Verdict])
        yield from written(tmp_path).items()
        for form in set(Format) - {Format.TABLE, Format.CSV, Format.JSON}:  # files have these
            stream = io.BytesIO()
            write_format(form, analysis, stream, verdicts=[*Verdict])
            yield form, stream.getvalue()
        for width in (None, 80):
            yield f"table {width}", table_text(analysis, width=width)

    found = both_orders(reports, lambda files: dict(outputs(files)))
    assert len(found) >= len(endings) + len(Format) + 1
    assert all(found.values())


def write_nothing(_: Any, stream: BinaryIO, **__: Any) -> None:
    """Stand for the workbook, whose bytes in both orders the outputs of an analysis show."""
    stream.write(b"book")


def test_every_table_of_a_history(reports: Files, tmp_path: Path) -> None:
    def tables(files: Files) -> dict[str, bytes]:
        names = [tmp_path / f"history.{ending}" for ending in ("xlsx", "json", "md", "csv")]
        assert main(["history", *map(str, files), *(f"-o{name}" for name in names), "-q"]) == 0
        return written(tmp_path)

    assert both_orders(reports, tables)["history.md"].count(b"quiet") > 2


def test_what_an_export_keeps(
    reports: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analyzer.exports.contents.write_workbook", write_nothing)

    def contents(files: Files) -> dict[str, bytes]:
        out = tmp_path / files[0].parent.name
        sources = [word for path in files for word in ("--from", str(path))]
        assert main(["export", "--out-dir", str(out), *sources, "-q"]) == 0
        run_ = (out / "latest").resolve()
        kept = {str(path.relative_to(run_)): path for path in run_.rglob("*.*")}
        return {name: kept[name].read_bytes() for name in kept.keys() - {"manifest.json"}}

    assert len(both_orders(reports[1::2], contents)) > 7


def test_the_ledger_and_the_plan_of_several_files_of_decisions(tmp_path: Path) -> None:
    old = [a_user("quiet"), a_user("waiting", password=a_password())]
    entries = {
        "one.csv": [line(user=user) for user in old],
        "two.csv": [line("keep", old[0]), line(user=a_user("gone"))],
    }
    files = [tmp_path / name for name in entries]
    for path, lines in zip(files, entries.values(), strict=True):
        path.write_bytes(ledger_bytes(lines))

    def collected(files: Files) -> tuple[bytes, str, bytes]:
        ledger = tmp_path / "decisions.csv"
        done = run("collect", *files, "-o", ledger)
        plan = run("plan", *files)
        content = ledger.read_bytes()
        ledger.unlink()
        return content, done.messages, plan.output

    ledger, _, script = both_orders(files, collected)
    assert ledger.count(b"\n") == 5
    assert b"user/gone" in script
    assert b"user/quiet" not in script
