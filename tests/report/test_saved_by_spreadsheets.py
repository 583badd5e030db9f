"""A report that a spreadsheet of any language saved again makes nobody unused: read, or refused.

Half of its users have cells that a spreadsheet takes for dates, numbers or formulas.
"""

import csv
import io
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from analyzer.errors import InputRefused
from tests.support.builders import (
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    judged_users,
    judgements_by,
    report_text,
    saved,
)
from tests.support.verdict_oracle import Judgement
from tests.support.workbooks import needs_libreoffice, office

USERS = [
    a_user("quiet"),
    a_user("waiting", password=a_password(), key_1=an_inactive_key()),
    a_user("busy", key_1=a_key(used=days_before(1))),
    a_user("idle", password=a_password(days_before(111))),
    *map(a_user, ("=1+1", "007", "1e5", "1-2", "TRUE")),
]
LANGUAGES = {"es-ES": (1034, ";"), "de-DE": (1031, ";"), "fr-FR": (1036, ";")}
LANGUAGES |= {"en-US": (1033, ","), "ja-JP": (1041, ",")}
_LANGUAGE_OF_SYSTEM = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Setup/L10N">
<prop oor:name="ooSetupSystemLocale" oor:op="fuse"><value>{}</value></prop>
</item></oor:items>
"""
_DATE_AND_TIME = "m/d/yy h:mm"
"""The number format that each language shows in its own way."""


def judged(path: Path) -> dict[str, Judgement]:
    return judgements_by("arn", judged_users(path))


def judged_or_refused(path: Path) -> dict[str, Judgement] | str:
    try:
        return judged(path)
    except InputRefused as refusal:
        return str(refusal)


def saved_by_spreadsheet(folder: Path, source: Path, language: str) -> Path:
    """Return the CSV that LibreOffice of a language makes of what it opened."""
    number, separator = LANGUAGES[language]
    text = "Text - txt - csv (StarCalc)"
    form = f"34,76,1,,{number},false,true"
    opened = [f"--infilter={text}:44,{form}"] if source.suffix == ".csv" else []
    saved_as = f"csv:{text}:{ord(separator)},{form}"
    command = office(folder, _LANGUAGE_OF_SYSTEM.format(language)) + opened
    command += ["--convert-to", saved_as, "--outdir", str(folder / "out"), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "out" / f"{source.stem}.csv"


def with_dates(folder: Path, text: str) -> Path:
    """Save a report as a workbook whose dates are dates."""
    book = openpyxl.Workbook()
    sheet: Any = book.active
    for row in csv.reader(io.StringIO(text)):
        sheet.append(
            [datetime.fromisoformat(each[:-1]) if each[-1] == "Z" else each for each in row]
        )
    for cell in (cell for row in sheet.iter_rows() for cell in row):
        if isinstance(cell.value, datetime):
            cell.number_format = _DATE_AND_TIME
        else:
            cell.data_type = "s"
    book.save(folder / "dates.xlsx")
    return folder / "dates.xlsx"


@needs_libreoffice
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_report_that_a_spreadsheet_saved_again_makes_nobody_unused(
    tmp_path: Path, language: str
) -> None:
    text = report_text(USERS)
    plain = judged(saved(tmp_path, text))
    again = judged(saved_by_spreadsheet(tmp_path, saved(tmp_path, text, "text.csv"), language))
    for arn, judgement in again.items():
        assert judgement == plain[arn] or judgement.verdict == "undetermined"
    assert sum(judgement == plain[arn] for arn, judgement in again.items()) >= 4
    of_dates = saved_by_spreadsheet(tmp_path, with_dates(tmp_path, text), language)
    found = judged_or_refused(of_dates)
    reason = "a date in a local form"
    assert reason in found if isinstance(found, str) else found.items() <= plain.items()
