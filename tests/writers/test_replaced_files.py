"""Files are private from their first byte, killed runs leave nothing, nobody's link is followed."""

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from analyzer import files
from analyzer.errors import OutputFailed
from analyzer.files import replace_files, replace_series, replacing
from tests.support.builders import a_user, report_text, run, saved

OLD, NEW = b"what was there before", b"what is there now"
NOBODY = 65534

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files of others")


def put(target: Path, mode: int | None = None) -> None:
    with replacing(target, mode) as stream:
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
def test_a_new_file_is_for_its_owner_and_another_has_the_mode_of_the_old_or_that_asked_for(
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
        for another in (tmp_path / f"{mode}.csv", target):
            put(another, 0o604)
            assert mode_of(another) == 0o604
        (tmp_path / f"{mode}.csv").unlink()


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


def test_what_analyze_writes_has_the_mode_that_is_asked_for_and_one_that_is_none_is_refused(
    tmp_path: Path,
) -> None:
    report = saved(tmp_path, report_text([a_user()]))
    one, other, found = (tmp_path / name for name in ("a.csv", "b.json", "c.csv"))
    words = ("analyze", report, "-o", one, "-o", other, "--findings", found)
    for text in ("", "648", "4644", "-600", "٦٤٠"):
        done = run(*words, f"--mode={text}")
        assert (done.code, "use octal such as 640" in done.message_line) == (2, True)
        assert names(tmp_path) == {"report.csv"}, text
    assert run(*words, "--mode", "0604").code == 0
    assert {mode_of(path) for path in (one, other, found)} == {0o604}


LEFTOVER = ".a.csv.0123abcd.part"
IRREGULAR: tuple[Callable[[Path], Any], ...] = (
    Path.mkdir,
    lambda path: path.symlink_to("a.csv"),
    lambda path: path.symlink_to("nowhere"),
    os.mkfifo,
)


def test_what_a_killed_run_left_is_removed_by_the_next_also_where_a_link_leads(
    tmp_path: Path, write: Write
) -> None:
    for name in (LEFTOVER, ".a.csv.ffffffff.part"):
        old_file(tmp_path, name)
    write(tmp_path / "a.csv")
    assert names(tmp_path) == {"a.csv"}
    old_file(tmp_path, LEFTOVER)
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "link.csv").symlink_to("../a.csv")
    write(tmp_path / "links" / "link.csv")
    assert names(tmp_path) == {"a.csv", "links"}


def test_a_file_of_another_name_kind_or_user_is_no_leftover(tmp_path: Path, write: Write) -> None:
    others = {
        *(".a.csv.0123abc.part", ".a.csv.0123abcde.part", ".a.csv.0123ABCD.part"),
        *(".a.csv.0123abcg.part", ".a.csv.0123abcd.part2", ".a.csv.0123abcd.part\n"),
        *("a.csv.0123abcd.part", ".b.csv.0123abcd.part", ".aXcsv.0123abcd.part"),
        "x.a.csv.0123abcd.part",
    }
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
    assert names(tmp_path) == {"a.csv", *others, *irregular}


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


def a_link(folder: Path, *, owner: int, folder_mode: int = 0o755, folder_owner: int = 0) -> Path:
    """Return a link out of a folder, to a file that is not for others to replace."""
    (folder / "secret.csv").write_bytes(OLD)
    open_folder = folder / "open"
    open_folder.mkdir()
    (open_folder / "a.csv").symlink_to(folder / "secret.csv")
    os.chown(open_folder / "a.csv", owner, owner, follow_symlinks=False)
    open_folder.chmod(folder_mode)
    os.chown(open_folder, folder_owner, folder_owner)
    return open_folder / "a.csv"


FOREIGN = {
    "sticky": {"folder_mode": 0o1777},
    "open to all": {"folder_mode": 0o777},
    "open to others": {"folder_mode": 0o757},
    "open to a group": {"folder_mode": 0o775},
    "foreign": {"folder_owner": NOBODY},
    "foreign and closed": {"folder_owner": NOBODY, "folder_mode": 0o700},
}


@pytest.mark.no_cover
@needs_root
@pytest.mark.parametrize("where", FOREIGN)
@pytest.mark.parametrize("through", ["", "chain"])
def test_a_link_of_another_user_is_not_followed(
    tmp_path: Path, write: Write, where: str, through: str
) -> None:
    target = link = a_link(tmp_path, owner=NOBODY, **FOREIGN[where])
    if through:
        target = tmp_path / "own.csv"
        target.symlink_to(link)
    with pytest.raises(OutputFailed, match=f"the link {link} belongs to another user") as failed:
        write(target)
    assert str(failed.value).startswith(f"{target} cannot be written: ")
    assert (tmp_path / "secret.csv").read_bytes() == OLD
    assert link.is_symlink()
    assert names(link.parent) == {"a.csv"}


@needs_root
def test_analyze_ends_with_73_at_a_link_of_another_user(tmp_path: Path) -> None:
    link = a_link(tmp_path, owner=NOBODY, folder_mode=0o1777)
    done = run("analyze", saved(tmp_path, report_text([a_user()])), "-o", link)
    assert (done.code, done.messages.count("\n")) == (73, 1)
    assert (tmp_path / "secret.csv").read_bytes() == OLD


@needs_root
def test_a_folder_that_is_another_users_link_is_not_entered(tmp_path: Path, write: Write) -> None:
    (tmp_path / "private").mkdir()
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o1777)
    (tmp_path / "open" / "way").symlink_to("../private")
    os.chown(tmp_path / "open" / "way", NOBODY, NOBODY, follow_symlinks=False)
    with pytest.raises(OutputFailed, match="belongs to another user"):
        write(tmp_path / "open" / "way" / "a.csv")
    assert names(tmp_path / "private") == set()


OWN = [*((0, each) for each in FOREIGN.values()), (NOBODY, {})]
OWN += [(NOBODY, {"folder_mode": mode}) for mode in (0o700, 0o1755)]


@needs_root
@pytest.mark.parametrize(("owner", "folder"), OWN)
def test_an_own_link_and_one_in_an_own_folder_are_followed(
    tmp_path: Path, write: Write, owner: int, folder: dict[str, int]
) -> None:
    link = a_link(tmp_path, owner=owner, **folder)
    write(link)
    assert link.is_symlink()
    assert (tmp_path / "secret.csv").read_bytes() == NEW


@needs_root
def test_a_link_of_root_is_followed_by_everybody() -> None:
    place = Path(f"/tmp/credreport-test-{os.getpid()}")  # tmp_path is closed to others
    place.mkdir(mode=0o755)
    try:
        (place / "own").mkdir()
        os.chown(place / "own", NOBODY, NOBODY)
        (place / "a.csv").symlink_to("own/a.csv")
        os.seteuid(NOBODY)
        put(place / "a.csv")
        assert (place / "own" / "a.csv").read_bytes() == NEW
    finally:
        os.seteuid(0)
        shutil.rmtree(place)


def test_as_many_links_are_followed_as_the_system_follows(tmp_path: Path, write: Write) -> None:
    old_file(tmp_path, "0")
    for number in range(41):
        (tmp_path / f"{number + 1}").symlink_to(f"{number}")
    too_many, last = tmp_path / "41", tmp_path / "40"
    with pytest.raises(OSError, match="levels of symbolic links"):
        too_many.read_bytes()
    with pytest.raises(OutputFailed, match="levels of symbolic links"):
        write(too_many)
    assert last.read_bytes() == OLD
    write(last)
    assert last.read_bytes() == NEW


def test_a_series_is_written_where_a_path_through_a_link_and_back_leads(tmp_path: Path) -> None:
    (tmp_path / "elsewhere" / "below").mkdir(parents=True)
    (tmp_path / "link").symlink_to("elsewhere/below")
    replace_series(tmp_path / "link" / "..", [("a.csv", NEW)], lambda _: False)
    assert (tmp_path / "elsewhere" / "a.csv").read_bytes() == NEW


def test_what_is_no_regular_file_is_not_replaced(tmp_path: Path, write: Write) -> None:
    kinds: tuple[Callable[[Path], Any], ...] = (
        *(os.mkfifo, Path.mkdir),
        lambda path: path.symlink_to("/dev/null"),
    )
    for at, make in enumerate(kinds):
        make(tmp_path / f"{at}.csv")
        with pytest.raises(OutputFailed, match="a regular file"):
            write(tmp_path / f"{at}.csv")
    assert names(tmp_path) == {"0.csv", "1.csv", "2.csv"}
    assert Path("/dev/null").is_char_device()


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
    assert events == [*["on disk"] * 3, "one", "two", "three"]
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
        assert names(tmp_path) == {*order}
