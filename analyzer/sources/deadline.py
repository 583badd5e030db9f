"""Limit the time of the requests for an account, whatever its endpoint does."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Thread
from typing import Self, TypeVar

from analyzer.errors import AwsRefused

T = TypeVar("T")


class Late(AwsRefused):
    """Say that AWS did not answer in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """Hold when the asking of an account ends: `timeout` seconds after it began.

    `clock` returns seconds, and `ends` is one of its readings.
    """

    timeout: float
    ends: float
    clock: Callable[[], float] = time.monotonic

    @classmethod
    def after(cls, timeout: float, clock: Callable[[], float] = time.monotonic) -> Self:
        """Return the deadline so many seconds from now."""
        return cls(timeout=timeout, ends=clock() + timeout, clock=clock)

    @property
    def seconds_left(self) -> float:
        """Return the seconds until the deadline, 0 after it."""
        return max(self.ends - self.clock(), 0)

    def result_in_time(self, name: str, call: Callable[[], T]) -> T:
        """Return what a call returns; `name` is for people.

        The call runs in a thread of its own, which is left alone once time is up: no setting of
        a socket bounds a server that sends a byte a second, nor a name server that is silent.

        Raises Late, and whatever the call raises.
        """
        future: Future[T] = Future()
        Thread(target=_settle, args=(future, call), daemon=True).start()
        try:
            return future.result(self.seconds_left)
        except TimeoutError:
            if future.done():
                raise
            raise Late(_LATE.format(name, self.timeout)) from None


def _settle(future: Future[T], call: Callable[[], T]) -> None:
    try:
        future.set_result(call())
    except BaseException as error:  # noqa: BLE001  it is raised where the result is waited for
        future.set_exception(error)


_LATE = (
    "AWS did not answer {} within the {:g} seconds of --timeout. Try again later, or wait longer"
    " with --timeout."
)
