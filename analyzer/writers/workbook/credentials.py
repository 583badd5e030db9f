"""Define the columns that show a user's access keys and signing certificates, slot by slot."""

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.columns import AccessKeyColumns, CertificateColumns
from analyzer.model import Page
from analyzer.terms import State
from analyzer.writers.workbook.column import (
    NEVER,
    Column,
    Read,
    either,
    moments,
    nothing,
    with_raw,
    words,
)
from analyzer.writers.workbook.taken import in_slot


def _states(slots: pd.DataFrame, slot: int) -> np.ndarray:
    states: np.ndarray = in_slot(slots, slot)[columns.STATE].to_numpy(object)
    return states


def _never_used(slot: int, report_name: str) -> Read[Page]:
    def read(page: Page) -> list[str]:
        absent = _states(page.keys, slot) == State.ABSENT
        return with_raw(page, report_name, either(absent, "", NEVER))

    return read


def _used_for(slot: int, report_name: str) -> Read[Page]:
    """Read where and for what an access key was last used, if it ever was."""

    def read(page: Page) -> list[str]:
        used = in_slot(page.keys, slot)[columns.LAST_USED].notna()
        told: list[str] = page.cells[report_name].fillna("").where(used, "").tolist()
        return told

    return read


def key(slot: int, names: AccessKeyColumns) -> tuple[Column[Page], ...]:
    """Return the columns that show what is in a slot for an access key."""
    return (
        Column(
            f"Access key {slot}",
            9.5,
            words(lambda page: with_raw(page, names.active, _states(page.keys, slot))),
        ),
        Column(
            f"Key {slot} created (UTC)",
            14.5,
            moments(
                lambda page: in_slot(page.keys, slot)[columns.CREATED],
                nothing(names.last_rotated),
            ),
        ),
        Column(
            f"Key {slot} last used (UTC)",
            14.5,
            moments(
                lambda page: in_slot(page.keys, slot)[columns.LAST_USED],
                _never_used(slot, names.last_used_date),
            ),
        ),
    )


def key_use(slot: int, names: AccessKeyColumns) -> tuple[Column[Page], ...]:
    """Return the columns that show where and for what the access key in a slot was last used."""
    region, service = names.last_used_region, names.last_used_service
    return (
        Column(f"Key {slot} last region", 11, words(_used_for(slot, region))),
        Column(f"Key {slot} last service", 11, words(_used_for(slot, service))),
    )


def certificate(slot: int, names: CertificateColumns) -> tuple[Column[Page], ...]:
    """Return the columns that show what is in a slot for a signing certificate."""
    return (
        Column(
            f"Certificate {slot}",
            9.5,
            words(lambda page: with_raw(page, names.active, _states(page.certificates, slot))),
        ),
        Column(
            f"Certificate {slot} uploaded (UTC)",
            14.5,
            moments(
                lambda page: in_slot(page.certificates, slot)[columns.CREATED],
                nothing(names.last_rotated),
            ),
        ),
    )
