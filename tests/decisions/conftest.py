import shutil
from pathlib import Path
from zlib import crc32

import pytest

from tests.support.aws_stub import AwsStub
from tests.support.removals import NOW, SHELLS


@pytest.fixture
def shell(request: pytest.FixtureRequest) -> str:
    """Return one of the shells by the name of the test: half of the tests run in each."""
    name = SHELLS[crc32(request.node.name.encode()) % len(SHELLS)]
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    return name


@pytest.fixture
def version() -> int:
    """Return the version of the AWS CLI."""
    return 1


@pytest.fixture
def aws(tmp_path: Path, shell: str, version: int) -> AwsStub:
    """Be signed in to an account without users."""
    return AwsStub(tmp_path, shell, version, NOW)
