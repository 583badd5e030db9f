"""Make the sentences of findings from parts, a whole column at once."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Final

from analyzer import columns
from analyzer.terms import count_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
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
    import pyarrow as pa

    numbers = pa.array(days).dictionary_encode()
    distinct = numbers.dictionary.to_pylist()
    texts = [f"{before}{count_text(number, 'day')}{after}" for number in distinct]
    return pa.array(texts, pa.string()).take(numbers.indices)


def words_at(column: pa.DictionaryArray, at: np.ndarray) -> pa.Array:
    """Return the words of a column at these positions."""
    import pyarrow as pa

    words = column.dictionary.cast(pa.string())
    return words.take(column.indices.take(pa.array(at)))


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

    caveats = words_at(facts.page.added[columns.CAVEATS], at)
    certain = pc.equal(caveats, "").to_numpy(zero_copy_only=False)
    listed = pc.replace_substring(caveats, ";", ", ")
    check = text_where(certain, "", concat(len(at), "; check: ", listed))
    days = days_text(facts.age.days[at], ", ", " before as-of")
    age = text_where(facts.age.present[at], days, "")
    return date_texts(facts.age.moment[at], ", created "), age, check


def undetermined_reason(facts: Facts, at: np.ndarray) -> pa.Array:
    """Say why no verdict could be given."""
    return words_at(facts.page.added[columns.REASON], at)


def unknown_cells(facts: Facts, at: np.ndarray, names: Sequence[str]) -> pa.Array:
    """Return for these users a sentence on each unknown cell in the columns, empty for none."""
    import pyarrow as pa

    sentences: dict[int, list[str]] = {position: [] for position in at.tolist()}
    for name in names:
        for position, value in zip(*facts.page.unread_cells(name), strict=True):
            if position in sentences:
                sentence = facts.unknown_cell_sentence(int(position), name, value)
                sentences[position].append(sentence)
    return pa.array(map("; ".join, sentences.values()), pa.string())
