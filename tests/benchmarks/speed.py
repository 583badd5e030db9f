"""Measure the speed that credreport promises, as ratios against baselines in the same run.

    python tests/benchmarks/speed.py            # all: an hour or more, 6 GB of memory
    python tests/benchmarks/speed.py S4 S5 S8   # chosen ones

Each figure is the median of paired runs of whole processes on one core: ours, the baseline, ours, …
It is CPU time, with that of all children, since others may use the machine. Machines differ and
are busy, ratios much less so. The inputs are made up here, in a temporary folder.
"""

import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from analyzer import columns

HEADER = ",".join(columns.IN_REPORT[:-1])  # the last one stands in few reports
NO_KEY = "false,N/A,N/A,N/A,N/A"
ROOT = Path(__file__).parents[2]
PER_ACCOUNT = 5_000
MB = 1 << 20
NOT_COMPILED = "PYTHONDONTWRITEBYTECODE"

CAREFUL = """
import glob, sys, pandas as pd
frames = []
for path in sorted(glob.glob(sys.argv[1] + "/*.csv")):
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    frame = frame[frame["user"] != "<root_account>"]
    used = pd.to_datetime(frame["password_last_used"], format="ISO8601", errors="coerce", utc=True)
    for column in ("user_creation_time", "password_last_changed", "access_key_1_last_rotated",
                   "access_key_1_last_used_date", "access_key_2_last_rotated",
                   "access_key_2_last_used_date"):
        frame[column + "_at"] = pd.to_datetime(
            frame[column], format="ISO8601", errors="coerce", utc=True)
    active = (frame["access_key_1_active"] == "true") | (frame["access_key_2_active"] == "true")
    frame["unused"] = used.isna() & ~active
    frames.append(frame)
pd.concat(frames).to_csv(sys.argv[2], index=False)
"""
READ_CSV = "import sys, pandas as pd; pd.read_csv(sys.argv[1], dtype=str, keep_default_na=False)"
TO_EXCEL = (
    "import sys, pandas as pd;"
    "pd.read_csv(sys.argv[1], dtype=str, keep_default_na=False).to_excel(sys.argv[2], index=False)"
)


@dataclass(frozen=True)
class Run:
    """Hold what one process took: seconds of CPU time, bytes at its peak."""

    seconds: float
    peak: int


def timed(command: Sequence[str]) -> Run:
    """Run a process whose output goes nowhere; its children count with it.

    Modules are compiled once and kept, as an installation does it. Its output is not there before:
    a workbook that is would be searched for decisions.
    """
    for option, output in pairwise(command):
        if option == "-o":
            Path(output).unlink(missing_ok=True)
    environment = {name: os.environ[name] for name in os.environ if name != NOT_COMPILED}
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=ROOT, env=environment
    ) as process:
        assert process.stderr is not None
        complaint = process.stderr.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(complaint.decode())
    return Run(used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)


def paired(ours: Sequence[str], baseline: Sequence[str], times: int) -> tuple[float, Run]:
    """Return the median ratio of paired runs, and our median run."""
    pairs = [(timed(ours), timed(baseline)) for _ in range(times)]
    ratio = statistics.median(our.seconds / base.seconds for our, base in pairs)
    seconds = statistics.median(our.seconds for our, _ in pairs)
    return ratio, Run(seconds, max(our.peak for our, _ in pairs))


def python(code: str, *arguments: str | Path) -> list[str]:
    """Return the command that runs a piece of Python."""
    return [sys.executable, "-c", code, *map(str, arguments)]


def imports(*names: str) -> list[str]:
    """Return the command that only imports packages."""
    return python(f"import {', '.join(names)}")


def credreport(*arguments: str | Path) -> list[str]:
    """Return the command that runs the program."""
    return [sys.executable, "-m", "analyzer", *map(str, arguments)]


def analyze(source: Path, *arguments: str | Path) -> list[str]:
    """Return the command that analyzes a source and lists everybody."""
    return credreport("analyze", source, "--quiet", "--verdict", "all", *arguments)


class Maker:
    """Make up reports: the same ones each time."""

    def __init__(self, folder: Path) -> None:
        """Write below a folder."""
        self._folder = folder
        self._choice = random.Random(20260301)
        self._moments = [self._moment() for _ in range(20_000)]

    def report(self, rows: int, zone: str = "Z") -> Path:
        """Return a report of so many rows, 5,000 to an account; moments end with their zone."""
        folder = self._folder / f"{rows}{zone.replace(':', '-')}"
        path = folder / "status_reports_2026-10-31T00-00-00+00-00.csv"
        if not path.exists():
            path.parent.mkdir(parents=True)
            with path.open("w") as stream:
                stream.write(HEADER)
                for number in range(rows):
                    stream.write("\n" + self._row(number).replace("Z,", f"{zone},"))
        return path

    def folder(self, files: int, rows: int) -> Path:
        """Return a folder of reports, one an account."""
        folder = self._folder / f"{files}x{rows}"
        if folder.exists():
            return folder
        folder.mkdir()
        for file in range(files):
            first = file * PER_ACCOUNT
            lines = [self._row(number) for number in range(first, first + rows)]
            (folder / f"{file:05}.csv").write_text("\n".join([HEADER] + lines))
        return folder

    def _moment(self) -> str:
        pick = self._choice.randint
        day = f"20{pick(15, 26):02}-{pick(1, 10):02}-{pick(1, 28):02}"
        return f"{day}T{pick(0, 23):02}:{pick(0, 59):02}:{pick(0, 59):02}Z"

    def _row(self, number: int) -> str:
        account = f"{100_000_000_000 + number // PER_ACCOUNT}"
        if number % PER_ACCOUNT == 0:
            return self._cells("<root_account>", f"arn:aws:iam::{account}:root")
        name = f"user.name-{number}"
        return self._cells(name, f"arn:aws:iam::{account}:user/team/{name}")

    def _cells(self, name: str, arn: str) -> str:
        moment = self._choice.choice
        at = self._moments
        password = moment(("false,N/A,N/A", f"true,no_information,{moment(at)}"))
        password = moment((password, f"true,{moment(at)},{moment(at)}"))
        mfa = moment(("true", "false"))
        keys = f"{self._key()},{self._key()}"
        return f"{name},{arn},{moment(at)},{password},N/A,{mfa},{keys},false,N/A,false,N/A"

    def _key(self) -> str:
        kind, created, used = self._choice.random(), *self._choice.choices(self._moments, k=2)
        if kind < 0.4:
            return NO_KEY
        if kind < 0.6:
            return f"false,{created},{used},eu-west-1,ec2"
        use = "N/A,N/A,N/A" if kind < 0.8 else f"{used},us-east-1,s3"
        return f"true,{created},{use}"


@dataclass(frozen=True)
class Figure:
    """Hold a promise: at most this ratio, and at most this many bytes at the peak."""

    job: str
    goal: float
    measure: Callable[[Maker, Path], tuple[float, Run]]
    peak: int | None = None


def _help(_: Maker, __: Path) -> tuple[float, Run]:
    return paired(credreport("--help"), python("pass"), 9)


def _small(ending: str, *baseline: str) -> Callable[[Maker, Path], tuple[float, Run]]:
    def measure(make: Maker, out: Path) -> tuple[float, Run]:
        ours = analyze(make.report(5_000), "-o", out / f"small{ending}")
        return paired(ours, imports(*baseline), 7)

    return measure


def _large_csv(
    rows: int, times: int, zone: str = "Z"
) -> Callable[[Maker, Path], tuple[float, Run]]:
    def measure(make: Maker, out: Path) -> tuple[float, Run]:
        report = make.report(rows, zone)
        ours = analyze(report, "-o", out / "large.csv")
        return paired(ours, python(READ_CSV, report), times)

    return measure


def _many_files(make: Maker, out: Path) -> tuple[float, Run]:
    folder = make.folder(1_000, 500)
    ours = analyze(folder, "-o", out / "s6.csv")
    return paired(ours, python(CAREFUL, folder, out / "careful.csv"), 3)


def _large_workbook(make: Maker, out: Path) -> tuple[float, Run]:
    report = make.report(100_000)
    ours = analyze(report, "-o", out / "s7.xlsx")
    return paired(ours, python(TO_EXCEL, report, out / "to_excel.xlsx"), 3)


def _more_files(make: Maker, out: Path) -> tuple[float, Run]:
    many, few = make.folder(10_000, 500), make.folder(1_000, 500)
    larger, smaller = (analyze(each, "-o", out / "files.csv") for each in (many, few))
    ratio, run = paired(larger, smaller, 3)
    return ratio / 10, run


def _export(make: Maker, out: Path) -> tuple[float, Run]:
    folder = make.folder(1_000, 500)
    ours = credreport("export", "--from", folder, "--out-dir", out / "runs")
    return paired(ours, analyze(folder, "-o", out / "export.csv"), 1)


def _on_engine(*command: str) -> Callable[[Maker, Path], tuple[float, Run]]:
    def measure(make: Maker, out: Path) -> tuple[float, Run]:
        folder = make.folder(10_000, 500)
        ours = [*command, str(folder), str(out / "users")]
        return paired(ours, analyze(folder, "-o", out / "users.parquet"), 1)

    return measure


def _growth(make: Maker, out: Path) -> tuple[float, Run]:
    large, small = 1_500_000, 500_000
    ratio, run = paired(
        analyze(make.report(large), "-o", out / "s8.csv"),
        analyze(make.report(small), "-o", out / "s8-small.csv"),
        3,
    )
    return ratio * small / large, run


IMPORTS = ("pandas", "pyarrow", "typer")
DASK = (sys.executable, "-m", "samples.engines.dask")
SPARK = ("spark-submit", "--master", "local[2]", "samples/engines/spark.py")
FIGURES = {
    "S1": Figure("--help / python -c pass", 12, _help),
    "S2": Figure("5,000 users, CSV / imports", 1.2, _small(".csv", *IMPORTS)),
    "S3": Figure("5,000 users, workbook / imports", 2.5, _small(".xlsx", "pandas", "openpyxl")),
    "S4": Figure("1 M rows, CSV / pd.read_csv alone", 0.75, _large_csv(1_000_000, 5), 950 * MB),
    "S4o": Figure("the same, old form", 0.85, _large_csv(1_000_000, 5, "+00:00"), 950 * MB),
    "S6": Figure("1,000 files x 500 rows / careful pandas", 0.12, _many_files),
    "S7": Figure("100,000 users, all sheets / to_excel", 0.36, _large_workbook, 450 * MB),
    "S8": Figure("time a row, 1.5 M rows / 500,000 rows", 1.05, _growth),
    "S8f": Figure("time a file, 10,000 x 500 / 1,000 x 500", 1.1, _more_files),
    "S9j": Figure("5,000 users, JSON / imports", 1.5, _small(".json", *IMPORTS)),
    "S9o": Figure("5,000 users, OCSF / imports", 1.5, _small(".ocsf.json", *IMPORTS)),
    "S9p": Figure("5,000 users, Parquet / imports", 1.5, _small(".parquet", *IMPORTS)),
    "S10": Figure("export, 1,000 x 500 / analyze to CSV", 12, _export, 600 * MB),
    "S11d": Figure("Dask, 10,000 x 500 / one process", 2.2, _on_engine(*DASK)),
    "S11s": Figure("Spark, likewise (needs PySpark and Java)", 3.0, _on_engine(*SPARK)),
}


def main(names: Sequence[str]) -> None:
    """Measure the figures named, all of them if none is, and print a line each."""
    with tempfile.TemporaryDirectory(prefix="credreport-speed-") as folder:
        maker = Maker(Path(folder))
        for name in names or FIGURES:
            figure = FIGURES[name]
            try:
                ratio, run = figure.measure(maker, Path(folder))
            except FileNotFoundError as missing:
                print(f"{name}  not measured: {missing.filename} is not installed")
                continue
            peak = f", peak {run.peak // MB} MB" + (
                f" (goal {figure.peak // MB})" if figure.peak else ""
            )
            print(
                f"{name}  {ratio:6.2f} (goal {figure.goal})  {run.seconds:6.2f} s{peak}"
                f"  {figure.job}",
                flush=True,
            )


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    main(sys.argv[1:])
