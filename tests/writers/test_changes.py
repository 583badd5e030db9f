"""The changes since another report as CSV and JSON."""

import io

import pandas as pd
import pytest

from analyzer.writers import changes
from tests.support.builders import ACCOUNT, a_key, a_password, a_user, days_before
from tests.support.comparisons import compared

HEADER = (
    "change,account,user,arn,before,now,last_use,cause,exemption_before,exemption_now,created,rule,"
    "fact,owner,owner_email,owner_left,account_name\n"
)
NOW = days_before(-8)


def change_lines(frame: pd.DataFrame, *, raw: bool = False) -> str:
    stream = io.BytesIO()
    changes.write_changes(frame[frame["rule"] == ""], stream, raw=raw)
    return stream.getvalue().decode()


@pytest.mark.no_cover
def test_a_change_is_a_row_and_names_that_look_like_formulas_are_guarded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = [a_user("bob"), a_user("+eve", password=a_password(days_before(200)))]
    now = [a_user("=ann", key_1=a_key(NOW)), a_user("+eve", password=a_password(NOW))]
    frame = compared(before, now)
    assert change_lines(frame.iloc[:0]) == HEADER
    for raw, guard, rows in ((False, "'", 50_000), (True, "", 2)):
        monkeypatch.setattr(changes, "_ROWS_AT_ONCE", rows)  # written in parts, it is the same
        assert change_lines(frame, raw=raw) == HEADER + (
            f"new,{ACCOUNT},{guard}=ann,arn:aws:iam::{ACCOUNT}:user/=ann,,active,,"
            "user created on 2023-08-05,,,2023-08-05T12:00:00Z,,,,,,\n"
            f"gone,{ACCOUNT},bob,arn:aws:iam::{ACCOUNT}:user/bob,unused,,,"
            "user deleted or renamed; created on 2023-08-05,,,2023-08-05T12:00:00Z,,,,,,\n"
            f"used-again,{ACCOUNT},{guard}+eve,arn:aws:iam::{ACCOUNT}:user/+eve,dormant,active,"
            "2026-05-09T12:00:00Z,signed in again on 2026-05-09,,,2023-08-05T12:00:00Z,,,,,,\n"
        )
