"""Answer falsely to a fetch at random: it ends with 4, in time, and says nothing of the answer."""

import io
import os
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from random import Random

import pytest

from tests.support.aws_server import (
    CALLER,
    GENERATE,
    GET,
    SECRET,
    TOKEN,
    fetching,
    on_loopback_only,
    serving,
)
from tests.support.hostile_server import MARK, REPORTS, STATES, WAYS

PLANTED = (SECRET, TOKEN, MARK, "Traceback")


def check(random: Random, folder: Path) -> None:
    """Raise AssertionError where a false answer gives another exit code or is repeated."""
    operation, more = random.choice([(GENERATE, STATES), (GET, REPORTS)])
    way = random.choice([*WAYS, *more])
    with pytest.MonkeyPatch.context() as patch, serving() as server:
        on_loopback_only(patch, folder, server.url)
        patch.setitem(os.environ, "AWS_SESSION_TOKEN", TOKEN)
        patch.setitem(os.environ, "AWS_MAX_ATTEMPTS", "1")
        server.false[CALLER, operation] = {**WAYS, **more}[way]
        said, output = io.StringIO(), io.StringIO()
        with redirect_stderr(said), redirect_stdout(output):
            code = fetching("-o", folder / "reports", "--timeout", "4")
    text = said.getvalue() + output.getvalue()
    assert code == 4, (operation, way, code, text)
    assert not any(planted in text for planted in PLANTED), (operation, way, text)
