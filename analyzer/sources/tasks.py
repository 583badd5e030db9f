"""Read many accounts at once; one client's failure is never another's."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from threading import Event

from analyzer.errors import AwsRefused
from analyzer.sources.aws_errors import STOPPED
from analyzer.sources.manifest import Entry, Status


@dataclass(frozen=True, slots=True)
class Task:
    """Hold what is to be done for one account; `read` raises AwsRefused where it cannot be."""

    account: str
    name: str
    read: Callable[[], Entry]


def read_all(
    tasks: Sequence[Task],
    *,
    jobs: int,
    stop: Event,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[Entry]:
    """Do the tasks, at most `jobs` at once, and return what became of each, in their order.

    One that AWS refuses is failed, and no other suffers. On Ctrl-C `stop` is set, what runs is
    waited for, and what was not read is failed. `progress` is told how many of how many are done.
    """
    pool = ThreadPoolExecutor(max_workers=jobs)
    futures = [pool.submit(_tried, task) for task in tasks]
    try:
        for done, future in enumerate(as_completed(futures), start=1):
            future.result()
            progress(done, len(futures))
    except KeyboardInterrupt:
        pass  # What is there will be listed.
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)
    return [_became(task, future) for task, future in zip(tasks, futures, strict=True)]


def _tried(task: Task) -> Entry:
    try:
        return replace(task.read(), name=task.name)
    except AwsRefused as error:
        return _failed(task, str(error))


def _became(task: Task, future: Future[Entry]) -> Entry:
    return _failed(task, STOPPED) if future.cancelled() else future.result()


def _failed(task: Task, reason: str) -> Entry:
    return Entry(account=task.account, name=task.name, status=Status.FAILED, reason=reason)
