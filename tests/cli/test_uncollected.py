"""A plan is refused while a file beside its ledger holds a word that the ledger lacks."""

import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from analyzer.decisions.ledger import ledger_bytes
from tests.support.builders import Row, Run, a_user, days_before, run, saved
from tests.support.decisions import bulk, line, user_rows
from tests.support.review import Edit, edited, entered, fill_in, shown
from tests.support.runs import console_report

MAY, JUNE = "2026-05-01", "2026-06-01"
IN_MAY, IN_JUNE = (datetime.fromisoformat(f"{day}T09:30:00Z") for day in (MAY, JUNE))
ON = date(2026, 6, 2)
ANN, BOB = a_user("ann", created=days_before(900)), a_user("bob", created=days_before(800))
NEW_ANN = ANN | {"user_creation_time": datetime(2026, 5, 20, 8, tzinfo=UTC)}
KEEP = ("keep", "Anna", ON, None, "break-glass")


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return the workbook of May, and that of June, in which ann was created anew."""

    def book(day: str, *users: Row) -> bytes:
        folder = tmp_path_factory.mktemp(day)
        path = folder / "review.xlsx"
        assert run("analyze", console_report(folder, day, *users), "-o", path).code == 0
        return path.read_bytes()

    return {MAY: book(MAY, ANN, BOB), JUNE: book(JUNE, NEW_ANN, BOB)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a review: the ledger, and the reports of May and June below it."""
    console_report(tmp_path / MAY, MAY, ANN, BOB)
    console_report(tmp_path / JUNE, JUNE, NEW_ANN, BOB)
    return tmp_path


def plan(folder: Path, ledger: Path | None = None) -> Run:
    reports = "--report", folder / MAY, "--report", folder / JUNE
    return run("plan", ledger or folder / "decisions.csv", *reports, "--exemptions", "none")


def collect(folder: Path, *lists: Path) -> Run:
    reports = "--report", folder / MAY, "--report", folder / JUNE
    return run("collect", *lists, *reports, "-o", folder / "decisions.csv")


def refusal(done: Run) -> str:
    """Return the one line in which a plan is refused, with what to do."""
    assert (done.code, done.output) == (3, b"")
    (message,) = (line for line in done.messages.splitlines() if ": the ledger lacks" in line)
    return message


def test_a_user_who_was_created_anew_and_kept_is_not_deleted_for_an_earlier_word(
    folder: Path, books: dict[str, bytes]
) -> None:
    """The workbook and the ledger agree on ARN, person, word and day: only the user is another."""
    first = [entered("ann", KEEP), entered("bob", ("delete", "Tom", ON, None, None))]
    of_may = saved(folder, edited(books[MAY], *first), "may.xlsx")
    assert collect(folder, of_may).code == 0
    of_june = saved(folder, edited(books[JUNE], entered("ann", KEEP)), "june.xlsx")
    message = refusal(plan(folder))
    assert f"{of_june}: the ledger lacks 1 of its entries, row " in message
    assert message.endswith(f": keep of {ANN['arn']} by Anna")
    assert collect(folder, of_june).code == 0
    done = plan(folder)
    removed = [line for line in done.lines if line.startswith("remove ")]
    assert (done.code, ["user/bob'" in line for line in removed]) == (0, [True])


OTHER_WORDS: dict[str, Edit] = {
    "an investigate of the same day": shown("ann", "Decision", "investigate"),
    "another person": shown("ann", "Decided by", "Tom"),
    "another day": shown("ann", "Decided on", date(2026, 6, 3)),
    "another ticket": shown("ann", "Ticket", "OPS-2"),
    "another comment": shown("ann", "Comment", "STOP: not before January"),
    "a formula": shown("ann", "Decision", "=A1"),
    "a word of nobody": entered("bob", ("keep", None, None, None, None)),
    "a comment alone": entered("bob", (None, None, None, None, "STOP")),
}


@pytest.mark.parametrize("edit", OTHER_WORDS.values(), ids=OTHER_WORDS)
def test_a_word_that_was_changed_after_it_was_collected_refuses_the_plan(
    folder: Path, books: dict[str, bytes], edit: Edit
) -> None:
    collected = entered("ann", ("delete", "Anna", ON, "OPS-1", "unused"))
    book = saved(folder, edited(books[JUNE], collected), "june.xlsx")
    assert collect(folder, book).code == 0
    assert plan(folder).code == 0
    saved(folder, edited(books[JUNE], collected, edit), "june.xlsx")
    assert f"{book}: the ledger lacks 1 of its entries" in refusal(plan(folder))


def test_the_same_words_on_a_newer_report_are_another_entry(
    folder: Path, books: dict[str, bytes]
) -> None:
    objection = entered("bob", ("investigate", "Tom", ON, None, None))
    of_may = saved(folder, edited(books[MAY], objection), "may.xlsx")
    assert collect(folder, of_may).code == 0
    of_june = saved(folder, edited(books[JUNE], objection), "june.xlsx")
    assert f"{of_june}: the ledger lacks 1 of its entries" in refusal(plan(folder))


# What a folder may hold

DELETE = line("delete", BOB, on=ON, as_of=IN_JUNE)
HEAD = "Account,User,Decision,Decided by,Decided on,Ticket,Comment"
TITLED = f"Unused users\n\nDecide on each user.\n\n{HEAD}\n1,bob,keep,Tom,2026-06-02,,mine\n"
TABLES = {
    "titled.csv": TITLED.encode(),
    "utf-16.csv": TITLED.encode("utf-16"),
    "little.csv": TITLED.encode("utf-16-le"),
    "big.csv": TITLED.encode("utf-16-be"),
    "semicolons.csv": TITLED.replace(",", ";").encode("utf-8-sig"),
    "own.csv": b"User,Decision,Comment\nbob,keep,mine\n",
    "tabs.tsv": b"ARN\tDecision\tComment\n" + f"{BOB['arn']}\tkeep\tmine\n".encode(),
    "formula.csv": b"User,Decision\nbob,=A1\n",
    "comment.txt": b"User,Decision,Comment\nbob,,STOP\n",
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_ones_own_that_decides_on_a_user_refuses_the_plan(
    folder: Path, name: str
) -> None:
    saved(folder, ledger_bytes([DELETE]), "decisions.csv")
    table = saved(folder, TABLES[name], name)
    message = refusal(plan(folder))
    assert f"{table}: the ledger lacks 1 of its entries, row " in message
    assert "bob" in message


def test_a_table_without_a_heading_or_an_entry_refuses_nothing(folder: Path) -> None:
    saved(folder, ledger_bytes([DELETE]), "decisions.csv")
    for at, text in enumerate(("", "User\nbob\n", "User,Decision\n", "User,Decision\nbob,\n")):
        saved(folder, text, f"{at}.csv")
    os.mkfifo(folder / "pipe.csv")  # to open it would wait for ever
    assert plan(folder).code == 0


def linked_folder(folder: Path, elsewhere: Path) -> Path:
    (folder / "answers").symlink_to(elsewhere)
    return folder / "decisions.csv"


def linked_ledger(folder: Path, elsewhere: Path) -> Path:
    (folder / "decisions.csv").rename(elsewhere / "decisions.csv")
    (folder / "decisions.csv").symlink_to(elsewhere / "decisions.csv")
    return folder / "decisions.csv"


@pytest.mark.parametrize("place", [linked_folder, linked_ledger])
def test_what_a_link_leads_to_is_read(folder: Path, place: Callable[[Path, Path], Path]) -> None:
    saved(folder, ledger_bytes([DELETE]), "decisions.csv")
    elsewhere = folder.parent / f"{folder.name}-elsewhere"
    saved(
        elsewhere,
        bulk(user_rows(BOB, as_of=IN_JUNE), ("keep", "Tom", str(ON), "", "mine")),
        "a.csv",
    )
    (elsewhere / "round").symlink_to(elsewhere)
    assert "a.csv: the ledger lacks 1 of its entries" in refusal(
        plan(folder, place(folder, elsewhere))
    )


def test_a_folder_that_cannot_be_read_refuses_the_plan(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(folder, ledger_bytes([DELETE]), "decisions.csv")
    (closed := folder / "closed").mkdir()
    listed = os.scandir

    def scandir(path: str) -> object:
        if str(path) == str(closed):
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    done = plan(folder)
    assert done.code == 3
    assert f"{closed}: it cannot be read: Permission denied" in done.messages


def test_where_all_were_created_at_one_moment_the_sentence_above_the_list_says_when(
    tmp_path: Path,
) -> None:
    ledger = tmp_path / "decisions.csv"
    for day, created in ((MAY, days_before(900)), (JUNE, days_before(10))):
        users = [a_user(name, created=created) for name in ("ann", "bob")]
        report = console_report(tmp_path / day, day, *users)
        book = tmp_path / f"{day}.xlsx"
        assert run("analyze", report, "-o", book).code == 0
        fill_in(book, {"ann": "keep"}, on=ON)
    both = "--report", tmp_path / MAY, "--report", tmp_path / JUNE
    for day, code in ((MAY, 3), (JUNE, 0)):
        assert run("collect", tmp_path / f"{day}.xlsx", *both, "-o", ledger).code == 0
        assert run("plan", ledger, *both, "--exemptions", "none").code == code
