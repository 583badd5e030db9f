import shutil
from zlib import crc32

import pytest

from tests.support.removals import SHELLS


def installed(shell: str) -> str:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    return shell


@pytest.fixture(params=SHELLS)
def every_shell(request: pytest.FixtureRequest) -> str:
    return installed(request.param)


@pytest.fixture
def shell(request: pytest.FixtureRequest) -> str:
    """Return one of the shells by the name of the test: half of the tests run in each."""
    return installed(SHELLS[crc32(request.node.name.encode()) % len(SHELLS)])
