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
def aws(tmp_path: Path) -> AwsStub:
    """Be signed in to an account without users, with version 1 of the AWS CLI."""
    return AwsStub(tmp_path, now=NOW)
