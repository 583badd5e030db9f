"""Say how a user could get in: the most dangerous of its working credentials, in one word.

Exposure is a fact, not a score: a password that works without MFA comes before an access key, and
that before a password with MFA.
"""

from typing import Final

import numpy as np
import pyarrow as pa

from analyzer.report.model import word_column
from analyzer.terms import UNKNOWN_EXPOSURE, Exposure, SlotState
from analyzer.verdicts.facts import Facts
from analyzer.verdicts.truth import Truth, in_any_slot

EXPOSURES: Final = tuple(
    word for exposure in Exposure for word in (str(exposure), exposure + UNKNOWN_EXPOSURE)
)
"""The words of the column `exposure`, the most dangerous first."""


def exposures(facts: Facts) -> pa.DictionaryArray:
    """Return the exposure of each user (words of `EXPOSURES`).

    A cell that is not understood or missing puts the user at the highest word that it could be,
    marked as unknown.
    """
    ways_in = _ways_in(facts)
    possible = np.stack([~way_in.no for way_in in ways_in])
    word = possible.argmax(axis=0)
    known = np.stack([way_in.yes for way_in in ways_in])[word, np.arange(len(word))]
    return word_column(word * 2 + ~known, EXPOSURES)


def _ways_in(facts: Facts) -> tuple[Truth, ...]:
    """Return which users have each exposure or a more dangerous one, in the order of `Exposure`."""
    shown = facts.service_key_name | facts.more_credentials | facts.service_credential
    inactive, unknown = (
        in_any_slot(facts.keys_in(state)) for state in (SlotState.INACTIVE, SlotState.UNKNOWN)
    )
    return (
        facts.password & ~facts.mfa,
        facts.key_active.in_any_slot(),
        facts.password & facts.mfa,
        Truth(shown, ~shown) | facts.certificate_active.in_any_slot(),
        Truth(inactive, ~(inactive | unknown)),
        Truth(np.ones(len(shown), bool), np.zeros(len(shown), bool)),
    )
