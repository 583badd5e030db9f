"""Files are private from their first byte, killed runs leave nothing, nobody's link is followed."""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from analyzer import files
from analyzer.errors import OutputFailed
from analyzer.files import replace_files, replacing
from tests.support.builders import a_user, report_text, run, saved

OLD, NEW = b"what was there before", b"what is there now"
NOBODY = 65534

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files of others")


def put(target: Path) -> None:
    with replacing(target) as stream:
        stream.write(NEW)


def old_file(folder: Path, name: str = "a.csv", mode: int = 0o600) -> Path:
    (folder / name).write_bytes(OLD)
    (folder / name).chmod(mode)
    return folder / name


def put_private(target: Path) -> None:
    replace_files({target: NEW})


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


Write = Callable[[Path], None]


@pytest.fixture(params=[put, put_private])
def write(request: pytest.FixtureRequest) -> Write:
    written: Write = request.param
    return written


@pytest.fixture(params=[0, 0o022, 0o777])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_a_new_file_is_for_its_owner_and_another_has_the_mode_of_the_old(
    tmp_path: Path, write: Write
) -> None:
    target = tmp_path / "a.csv"
    write(target)
    assert mode_of(target) == 0o600
    for mode in (0o600, 0o640, 0o644):
        target = old_file(tmp_path, mode=mode)
        with replacing(target) as stream:
            (aside,) = names(tmp_path) - {"a.csv"}
            assert ((tmp_path / aside).stat().st_size, mode_of(tmp_path / aside)) == (0, mode)
            stream.write(NEW)
        assert (mode_of(target), target.read_bytes()) == (mode, NEW)


def test_a_file_aside_is_made_closed_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = old_file(tmp_path, mode=0o666)
    modes, change = [], os.chmod

    def watched(path: Path, mode: int) -> None:
        modes.append(mode_of(path))
        change(path, mode)

    monkeypatch.setattr(os, "chmod", watched)
    put(target)
    assert modes == [0o600]


LEFTOVER = ".a.csv.0123abcd.part"
IRREGULAR: tuple[Callable[[Path], Any], ...] = (
    Path.mkdir,
    lambda path: path.symlink_to("a.csv"),
    lambda path: path.symlink_to("nowhere"),
    os.mkfifo,
)


def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path: Path, write: Write) -> None:
    for name in (LEFTOVER, ".a.csv.ffffffff.part"):
        old_file(tmp_path, name)
    write(tmp_path / "a.csv")
    assert names(tmp_path) == {"a.csv"}


def test_a_file_of_another_name_kind_or_user_is_no_leftover(tmp_path: Path, write: Write) -> None:
    others = (
        {".a.csv.0123abc.part", ".a.csv.0123abcde.part", ".a.csv.0123ABCD.part"}
        | {".a.csv.0123abcg.part", ".a.csv.0123abcd.part2", ".a.csv.0123abcd.part\n"}
        | {"a.csv.0123abcd.part", ".b.csv.0123abcd.part", ".aXcsv.0123abcd.part"}
        | {"x.a.csv.0123abcd.part"}
    )
    for name in others:
        old_file(tmp_path, name)
    irregular = {
        f".a.csv.0123abc{digit}.part": make for digit, make in zip("0123", IRREGULAR, strict=True)
    }
    for name, make in irregular.items():
        make(tmp_path / name)
    if os.geteuid() == 0:  # only root makes files of others
        others.add(LEFTOVER)
        old_file(tmp_path, LEFTOVER)
        os.chown(tmp_path / LEFTOVER, NOBODY, NOBODY)
    write(tmp_path / "a.csv")
    assert names(tmp_path) == ({"a.csv"} | others | set(irregular))


def test_a_file_that_another_run_is_writing_is_no_leftover(tmp_path: Path, write: Write) -> None:
    with replacing(tmp_path / "a.csv") as stream:
        stream.write(OLD)
        write(tmp_path / "a.csv")
        assert (tmp_path / "a.csv").read_bytes() == NEW
    assert (tmp_path / "a.csv").read_bytes() == OLD
    assert names(tmp_path) == {"a.csv"}


def test_a_run_that_takes_a_file_for_a_leftover_before_its_lock_harms_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = files._lock  # noqa: SLF001  the moment before it
    gone: list[Path] = []

    def late(stream: BinaryIO, *, wait: bool) -> None:
        if not gone:
            gone.extend(tmp_path.iterdir())
            gone[0].unlink()
        lock(stream, wait=wait)

    monkeypatch.setattr(files, "_lock", late)
    put(tmp_path / "a.csv")
    assert names(tmp_path) == {"a.csv"}


def test_where_there_are_no_locks_files_are_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "fcntl", None)
    old_file(tmp_path, LEFTOVER)
    put(tmp_path / "a.csv")
    assert names(tmp_path) == {"a.csv"}


def test_a_link_is_refused_and_what_it_leads_to_stays(tmp_path: Path, write: Write) -> None:
    old_file(tmp_path)
    for name, leads_to in (("link.csv", "a.csv"), ("lost.csv", "nowhere")):
        (tmp_path / name).symlink_to(leads_to)
        with pytest.raises(OutputFailed, match="it is a link; name the file that it leads to"):
            write(tmp_path / name)
    assert (tmp_path / "a.csv").read_bytes() == OLD
    assert names(tmp_path) == {"a.csv", "link.csv", "lost.csv"}


def test_analyze_ends_with_73_at_a_link(tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to("secret.csv")
    done = run("analyze", saved(tmp_path, report_text([a_user()])), "-o", tmp_path / "link.csv")
    assert (done.code, done.messages.count("\n")) == (73, 1)
    assert names(tmp_path) == {"report.csv", "link.csv"}


def test_what_is_no_regular_file_is_not_replaced(tmp_path: Path, write: Write) -> None:
    kinds: tuple[Callable[[Path], Any], ...] = (os.mkfifo, Path.mkdir)
    for at, make in enumerate(kinds):
        make(tmp_path / f"{at}.csv")
        with pytest.raises(OutputFailed, match="a regular file"):
            write(tmp_path / f"{at}.csv")
    assert names(tmp_path) == {"0.csv", "1.csv"}


def test_files_are_on_disk_before_one_is_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def noting_fsync(descriptor: int) -> None:
        assert os.fstat(descriptor).st_size > 0
        events.append("on disk")
        fsync(descriptor)

    def noting_replace(path: Path, target: Path) -> Path:
        assert path.read_bytes() == target.name.encode()
        events.append(target.name)
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", noting_fsync)
    monkeypatch.setattr(Path, "replace", noting_replace)
    old_file(tmp_path, "stale")
    files = {tmp_path / name: name.encode() for name in ("one", "two", "three")}
    replace_files(files, stale=[tmp_path / "stale", tmp_path / "nothing"])
    assert events == ["on disk"] * 3 + ["one", "two", "three"]
    assert names(tmp_path) == {"one", "two", "three"}
    events.clear()
    with replacing(tmp_path / "four") as stream:
        stream.write(b"four")
    assert events == ["on disk", "four"]


def test_of_several_files_those_before_the_one_that_fails_are_new_and_the_others_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace, order = Path.replace, ["one", "two", "three"]
    for number, failing in enumerate(order):

        def refusing(path: Path, target: Path, failing: str = failing) -> Path:
            if target.name == failing:
                raise OSError(5, "Input/output error")
            return replace(path, target)

        for name in order:
            old_file(tmp_path, name)
        monkeypatch.setattr(Path, "replace", refusing)
        with pytest.raises(OutputFailed, match="three cannot be written: Input/output error"):
            replace_files({tmp_path / name: NEW for name in order})
        contents = [(tmp_path / name).read_bytes() for name in order]
        assert contents == [NEW] * number + [OLD] * (3 - number)
        assert names(tmp_path) == set(order)
