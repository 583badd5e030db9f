"""The samples for engines give the rows of one process."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import analyzer
from analyzer.errors import InputRefused
from tests.support.batch_folders import damaged, one_process, ordered, tricky_folder

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time


@pytest.fixture
def sample() -> Any:
    """Return the sample for Dask, in whose processes this process stands for all workers."""
    dask = pytest.importorskip("dask")
    with dask.config.set(scheduler="synchronous"):
        yield import_module("samples.engines.dask")


def test_dask_gives_the_rows_of_one_process(
    sample: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tricky_folder(tmp_path / "reports")
    sample.run(str(folder), str(tmp_path / "users"), rows=20)
    users = pq.read_table(tmp_path / "users")
    assert users.schema == analyzer.USERS
    assert ordered(users) == ordered(one_process(folder)[0])
    assert f" batches: {len(users)} users" in capsys.readouterr().out


def test_dask_writes_nothing_where_a_file_is_refused(sample: Any, tmp_path: Path) -> None:
    with pytest.raises(InputRefused):
        sample.run(str(damaged(tmp_path / "reports")), str(tmp_path / "users"))
    assert not (tmp_path / "users").exists()
