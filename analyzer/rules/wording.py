"""Put findings into words, a whole column of sentences at once."""

from __future__ import annotations

import re
from functools import reduce
from typing import TYPE_CHECKING, Any, Final

from analyzer import columns
from analyzer.rules.rule import Outcome, Rule, RuleText
from analyzer.terms import Certainty, code_of, count_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    import pandas as pd
    import pyarrow as pa

    from analyzer.verdicts.facts import Facts
    from analyzer.verdicts.truth import Elapsed

_UNKNOWN_TIME: Final = "at an unknown time"


def concat(count: int, *parts: str | pa.Array) -> pa.Array:
    """Return `count` sentences joined from parts: a text for all, or an array of one for each."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.binary_join_element_wise(pa.repeat("", count), *parts, "")


def join_nonempty(*texts: pa.Array, between: str = "; ") -> pa.Array:
    """Return for each position one text, joined from those that are not null."""
    import pyarrow.compute as pc

    # Arrow drops a position where all are null, which would shift the rest: avoid that.
    nothing = reduce(pc.and_, map(pc.is_null, texts))
    first = pc.if_else(nothing, "", texts[0])
    return pc.binary_join_element_wise(first, *texts[1:], between, null_handling="skip")


def text_where(mask: np.ndarray, yes: str | pa.Array, no: str | pa.Array | pa.Scalar) -> pa.Array:
    """Return one text where the mask holds, and another where it does not."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.if_else(pa.array(mask), yes, no)


def date_texts(moments: np.ndarray, before: str = "", otherwise: str = _UNKNOWN_TIME) -> pa.Array:
    """Return moments as dates, `2024-01-09`, with a text before them; `otherwise` for NaT."""
    import pyarrow as pa
    import pyarrow.compute as pc

    days = pa.array(moments.astype("datetime64[D]")).cast(pa.string())
    return pc.fill_null(concat(len(days), before, days), before + otherwise)


def days_text(days: np.ndarray, before: str = "", after: str = "") -> pa.Array:
    """Return numbers of days as text: `1 day`, `1,684 days`, with a text before and after."""
    import pandas as pd
    import pyarrow as pa

    code, distinct = pd.factorize(days)
    texts = [f"{before}{count_text(number, 'day')}{after}" for number in distinct.tolist()]
    return pa.array(texts, pa.string()).take(pa.array(code))


def category_words_at(column: pd.Series, at: np.ndarray) -> pa.Array:
    """Return the words of a category column at these positions."""
    import pyarrow as pa

    known: Any = column.cat
    texts = pa.array(list(known.categories), pa.string())
    return texts.take(pa.array(known.codes.to_numpy()[at]))


# Parts of sentences


def access_key_texts(facts: Facts, at: np.ndarray) -> tuple[pa.Array, pa.Array]:
    """Name the access keys in these slots: `access key 2, created ` and `2023-04-01`."""
    return _slot_texts("access key", facts, facts.key_age, at)


def certificate_texts(facts: Facts, at: np.ndarray) -> tuple[pa.Array, pa.Array]:
    """Name the certificates in these slots: `signing certificate 1, created ` and `2023-04-01`."""
    return _slot_texts("signing certificate", facts, facts.certificate_age, at)


def _slot_texts(name: str, facts: Facts, age: Elapsed, at: np.ndarray) -> tuple[pa.Array, pa.Array]:
    import pyarrow as pa

    names = pa.array([f"{name} {slot}, created " for slot in columns.SLOTS])
    return names.take(pa.array(at // len(facts.page))), date_texts(age.moment.flat[at])


def age_text(age: Elapsed, at: np.ndarray) -> pa.Array:
    """Say `, 399 days old`, or nothing where the age is unknown."""
    return text_where(age.exists.yes.flat[at], days_text(age.days.flat[at], ", ", " old"), "")


def last_use_text(used: Elapsed, at: np.ndarray, before: str) -> pa.Array:
    """Say `last used 2024-01-09`, `never used` or `last use unknown`."""
    date = date_texts(used.moment.flat[at], f"{before}last used ")
    never = text_where(used.unknown.flat[at], f"{before}last use unknown", f"{before}never used")
    return text_where(used.present.flat[at], date, never)


def usable_credentials(facts: Facts, at: np.ndarray) -> pa.Array:
    """List the usable credentials of these users: `password, access key 2`."""
    names = ["password", *(f"access key {slot}" for slot in columns.SLOTS)]
    usable = [facts.password.yes, *facts.key_active.yes]
    texts = (text_where(values[at], name, None) for name, values in zip(names, usable, strict=True))
    return join_nonempty(*texts, between=", ")


def each_slot_text(
    facts: Facts,
    at: np.ndarray,
    mask: np.ndarray,
    parts: Callable[[np.ndarray], tuple[str | pa.Array, ...]],
) -> pa.Array:
    """Return for these users a sentence made of parts on each slot for which the mask holds."""
    slots = [at + slot * len(facts.page) for slot in range(len(columns.SLOTS))]
    return join_nonempty(
        *(text_where(mask.flat[slot], concat(len(at), *parts(slot)), None) for slot in slots)
    )


def created_age_caveats(facts: Facts, at: np.ndarray) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Return creation, age and caveats to check first, in words, of users that may be deleted."""
    import pyarrow.compute as pc

    caveats = category_words_at(facts.page.users[columns.CAVEATS], at)
    certain = pc.equal(caveats, "").to_numpy(zero_copy_only=False)
    listed = pc.replace_substring(caveats, ";", ", ")
    check = text_where(certain, "", concat(len(at), "; check: ", listed))
    days = days_text(facts.age.days[at], ", ", " before as-of")
    age = text_where(facts.age.present[at], days, "")
    return date_texts(facts.age.moment[at], ", created "), age, check


def undetermined_reason(facts: Facts, at: np.ndarray) -> pa.Array:
    """Say why no verdict could be given."""
    return category_words_at(facts.page.users[columns.REASON], at)


def undecided_facts(rule: Rule, facts: Facts, at: np.ndarray) -> pa.Array:
    """Return for the undecided positions why they are undecided.

    Positions in slots count through both rows; only the slot's own columns are then named.
    """
    import pyarrow as pa

    if not len(at):
        return pa.array([], pa.string())
    if rule.undecided_fact is not None:
        return rule.undecided_fact(facts, at)
    if not rule.subject.in_slots:
        return unknown_cells(facts, at, rule.columns)
    slot, position = at // len(facts.page), at % len(facts.page)
    return pa.concat_arrays(
        unknown_cells(
            facts, position[slot == number], (*rule.reads, *rule.slot_columns(number + 1))
        )
        for number in range(len(columns.SLOTS))
    )


def unknown_cells(facts: Facts, at: np.ndarray, names: Sequence[str]) -> pa.Array:
    """Return for these users a sentence on each unknown cell in the columns, empty for none."""
    import pyarrow as pa

    sentences: dict[int, list[str]] = {position: [] for position in at.tolist()}
    for name in names:
        for position, value in zip(*facts.page.unread(name), strict=True):
            if position in sentences:
                sentence = facts.unknown_cell_sentence(int(position), name, value)
                sentences[position].append(sentence)
    return pa.array(map("; ".join, sentences.values()), pa.string())


# What to do

_READING_COMMAND: Final = re.compile(r"aws [a-z]+ (list|get|lookup)-")  # changes nothing
_CHECK_CAVEATS: Final = "Check the caveats in the fact first; do not delete yet."


def remedies(rule: RuleText) -> tuple[str, str, str, str]:
    """Return what to do about a finding, a sentence for each case.

    The cases are: a certain finding, an undecided one, one with caveats, one on a user with an
    active service-specific credential. Delete only after a certain finding.
    """
    live = "Check the active service-specific credential first; do not delete"
    return (
        rule.fix,
        "Check the values in the fact first; do not delete yet.",
        _CHECK_CAVEATS if rule.deletes_user else rule.fix,
        f"{live} yet." if rule.deletes_user else f"{live} the user yet. {rule.fix}",
    )


def remedy_cases(
    rule: RuleText, outcome: np.ndarray, users: pd.DataFrame, user: np.ndarray
) -> np.ndarray:
    """Return for each finding the position of its sentence in `remedies`.

    `outcome` are positions in `Outcome`, `user` those among the judged users or roots of a page.
    """
    import numpy as np

    undecided = outcome == code_of(Outcome.UNDECIDED)
    live = (users[columns.SERVICE_CREDENTIALS].to_numpy() != "")[user]
    caveats = np.zeros(len(user), bool)
    if rule.deletes_user:
        caveats = (users[columns.CERTAINTY].to_numpy() == Certainty.CHECK)[user]
    return np.select([undecided, live, caveats], [1, 3, 2], 0)


def remedy_lines(rule: RuleText, remedy: str) -> tuple[str, ...]:
    """Return a remedy with its commands; if it says to check, only with commands that read."""
    if remedy == rule.fix:
        return rule.remedy or (rule.fix,)
    return (remedy, *(line for line in rule.remedy if _READING_COMMAND.match(line)))


UNSEEN_COMMANDS: Final = (
    "# Not in a report, must list nothing:",
    "aws iam list-service-specific-credentials --user-name=NAME",
    "aws iam list-ssh-public-keys --user-name=NAME",
)
"""The first commands: a user with such a credential may be in use."""

DELETION_COMMANDS: Final = (
    "# Then delete what is attached:",
    "# delete-access-key, delete-signing-certificate, deactivate-mfa-device,",
    "# delete-user-policy, detach-user-policy, remove-user-from-group.",
    "aws iam delete-user --user-name=NAME",
)
"""Last commands: before, DeleteUser gives DeleteConflict (IAM User Guide, Remove an IAM user)."""
