"""No command writes a line wider than its terminal, down to 40 columns, in any encoding."""

import re
import sys
from pathlib import Path

import pytest
from rich.cells import cell_len

from analyzer.cli import main
from analyzer.cli.streams import fitted
from analyzer.decisions.ledger import ledger_bytes
from tests.support.builders import ACCOUNT, AS_OF, a_key, a_user, report_text, saved
from tests.support.decisions import console_name, line
from tests.support.outputs import Terminal
from tests.support.runs import write_plainly

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
WIDE = "zoë-名前" * 5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with reports and lists in which are signs of other scripts."""
    folder = tmp_path_factory.mktemp("größe")
    users = [a_user("ann"), a_user(WIDE), a_user("zoë" * 20, key_1=a_key())]
    saved(folder, report_text(users), console_name(AS_OF))
    saved(folder, report_text([a_user("bob")]), "status_reports_2026-03-01T09-30-00+00-00.csv")
    entries = [line(by=WIDE), line("keep", a_user("ann"), by="Ann", comment=WIDE)]
    saved(folder, ledger_bytes(entries).decode(), "decisions.txt")
    saved(folder, f"account,user,owner\n*,*,{WIDE}\n", "owners.txt")
    saved(folder, f"account,name\n{ACCOUNT},{WIDE}\n", "names.txt")
    reasons = f"account,user,reason,owner,expires\n*,a*,{WIDE},Ops,\n*,{WIDE},x,Ops,2020-01-01\n"
    saved(folder, reasons, "exemptions.txt")
    return folder


NEW, OLD = console_name(AS_OF), "status_reports_2026-03-01T09-30-00+00-00.csv"
LISTS = ("--owners", "owners.txt", "--exemptions", "exemptions.txt")
COMMANDS = {
    0: (
        ("analyze", NEW, "--details", *LISTS),
        ("explain", "zo*", NEW, "--accounts", "names.txt"),
        ("diff", OLD, NEW, *LISTS),
        ("history", OLD, NEW, "--max-gap", "99", "--accounts", "names.txt"),
        ("history", OLD, NEW, "--max-gap", "99", "--table", "events"),
        ("collect", "decisions.txt"),
        ("plan", "decisions.txt", "-o", "plän.sh"),
        ("export", "--from", NEW, "--out-dir", "läufe"),
        ("rules",),
        ("rules", "root-used"),
    ),
    2: (("analyze", NEW, "--as-of", "yesterday"), ("fetch", f"--{'accounts' * 9}"), ("collect",)),
    3: (("analyze", f"{WIDE}.csv"), ("diff", NEW, OLD)),
    4: (("fetch", "--profile", WIDE),),
}


CASES = [(code, arguments, "ascii") for code, each in COMMANDS.items() for arguments in each]
HELP = (("--help",), ("plan", "--help"))
CASES += [(0, arguments, "utf-8") for arguments in (*COMMANDS[0][:2], *HELP)]
FIRST, *OTHERS = CASES
UNMEASURED = [pytest.param(*each, marks=pytest.mark.no_cover) for each in OTHERS]


@pytest.mark.parametrize(("code", "arguments", "encoding"), [FIRST, *UNMEASURED])
def test_no_line_is_wider_than_a_terminal_of_40_columns(
    folder: Path, monkeypatch: pytest.MonkeyPatch, code: int, arguments: list[str], encoding: str
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(
        "analyzer.exports.contents.write_all", lambda _, out, *__: write_plainly(out)
    )
    streams = Terminal(encoding), Terminal(encoding)
    monkeypatch.setattr(sys, "stdout", streams[0])
    monkeypatch.setattr(sys, "stderr", streams[1])
    assert main(arguments) == code
    text = ESCAPES.sub("", "".join(stream.getvalue() for stream in streams))
    assert text.encode(encoding)
    assert [part for part in re.split("[\n\r]", text) if cell_len(part) > 40] == []


def test_signs_of_two_columns_count_as_two_and_what_an_encoding_lacks_is_spelled_out() -> None:
    line = f"  first  {'名前' * 8} last"
    terminal = Terminal("utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "40")
        assert fitted(line, terminal) == ["  first", f"    {'名前' * 8}", "    last"]
        assert fitted("名" * 21, terminal) == ["名" * 20, "名"]
        assert fitted("  a  b c\n\n", terminal) == ["  a  b c", "", ""]
        assert fitted("é", Terminal("ascii")) == ["\\xe9"]
