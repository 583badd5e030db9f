"""The workbook of the sample that has every verdict, reason and caveat."""

import pytest
from openpyxl import Workbook

from tests.support.workbooks import console_book


@pytest.fixture(scope="session")
def book() -> Workbook:
    return console_book()
