"""Make the sentences of findings from parts, a whole column at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer import columns
from analyzer.terms import count_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    import pyarrow as pa

    from analyzer.verdicts.facts import Facts
    from analyzer.verdicts.truth import Elapsed


def text_where(mask: np.ndarray, yes: str | pa.Array, no: str | pa.Array | None) -> pa.Array:
    """Return one text where the mask holds, and another where it does not."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = pa.large_string()
    texts = (pa.scalar(each, kind) if isinstance(each, str | None) else each for each in (yes, no))
    return pc.if_else(pa.array(mask), *texts)


def date_texts(moments: np.ndarray, before: str = "") -> pa.Array:
    """Return moments as dates, `2024-01-09`, with a text before them."""
    import pyarrow as pa

    from analyzer.report.values import joined

    days = pa.array(moments.astype("datetime64[D]")).cast(pa.large_string())
    return joined(before, days.fill_null("at an unknown time"))


def days_text(days: np.ndarray, before: str = "", after: str = "") -> pa.Array:
    """Return numbers of days as text: `1 day`, `1,684 days`, with a text before and after."""
    import pyarrow as pa

    numbers = pa.array(days).dictionary_encode()
    distinct = numbers.dictionary.to_pylist()
    texts = [f"{before}{count_text(number, 'day')}{after}" for number in distinct]
    return pa.array(texts, pa.large_string()).take(numbers.indices)


# Parts of sentences


def access_key_texts(facts: Facts, at: np.ndarray) -> tuple[pa.Array, pa.Array]:
    """Name the access keys in these slots: `access key 2, created ` and `2023-04-01`."""
    return _slot_texts("access key", facts, facts.key_age, at)


def certificate_texts(facts: Facts, at: np.ndarray) -> tuple[pa.Array, pa.Array]:
    """Name the certificates in these slots: `signing certificate 1, created ` and `2023-04-01`."""
    return _slot_texts("signing certificate", facts, facts.certificate_age, at)


def _slot_texts(name: str, facts: Facts, age: Elapsed, at: np.ndarray) -> tuple[pa.Array, pa.Array]:
    import pyarrow as pa

    names = pa.array([f"{name} {slot}, created " for slot in columns.SLOTS], pa.large_string())
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
    from analyzer.report.values import joined_present

    names = ["password", *(f"access key {slot}" for slot in columns.SLOTS)]
    usable = [facts.password.yes, *facts.key_active.yes]
    texts = (text_where(mask[at], name, None) for name, mask in zip(names, usable, strict=True))
    return joined_present(*texts, between=", ")


def each_slot_text(
    facts: Facts,
    at: np.ndarray,
    mask: np.ndarray,
    parts: Callable[[np.ndarray], tuple[str | pa.Array, ...]],
) -> pa.Array:
    """Return for these users a sentence made of parts on each slot for which the mask holds."""
    from analyzer.report.values import joined, joined_present

    slots = [at + slot * len(facts.page) for slot in range(len(columns.SLOTS))]
    texts = (text_where(mask.flat[slot], joined(*parts(slot)), None) for slot in slots)
    return joined_present(*texts, between="; ")


def created_age_caveats(facts: Facts, at: np.ndarray) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Return creation, age and caveats to check first, in words, of users that may be deleted."""
    import pyarrow.compute as pc

    from analyzer.report.values import joined

    caveats = _added_texts(facts, columns.CAVEATS, at)
    listed = joined("; check: ", pc.replace_substring(caveats, ";", ", "))
    check = pc.if_else(pc.equal(caveats, ""), "", listed)
    days = days_text(facts.age.days[at], ", ", " before as-of")
    age = text_where(facts.age.present[at], days, "")
    return date_texts(facts.age.moment[at], ", created "), age, check


def reason_texts(facts: Facts, at: np.ndarray) -> pa.Array:
    """Say why the users have their verdict, or why no verdict could be given."""
    return _added_texts(facts, columns.REASON, at)


def _added_texts(facts: Facts, name: str, at: np.ndarray) -> pa.Array:
    import pyarrow as pa

    from analyzer.report.values import texts

    return texts(facts.page.added[name].take(pa.array(at)))


def unknown_cells(facts: Facts, at: np.ndarray, names: Sequence[str]) -> pa.Array:
    """Return for these users a sentence on each unknown cell in the columns, empty for none."""
    import pyarrow as pa

    sentences: dict[int, list[str]] = {position: [] for position in at.tolist()}
    for name in names:
        for position, value in zip(*facts.page.unread_cells(name), strict=True):
            if position in sentences:
                sentence = facts.unknown_cell_sentence(int(position), name, value)
                sentences[position].append(sentence)
    return pa.array(map("; ".join, sentences.values()), pa.large_string())
