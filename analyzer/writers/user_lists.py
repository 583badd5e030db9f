"""List users in words, in the order for people, and write their names."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa

from analyzer import columns
from analyzer.analysis.analysis import Analysis
from analyzer.report.model import ReportFile, stable_order
from analyzer.report.users import Users
from analyzer.report.values import is_one_of, joined, texts
from analyzer.terms import Certainty, Verdict, numbers_text, printable
from analyzer.verdicts.caveats import caveat_sentences
from analyzer.verdicts.exposure import EXPOSURES
from analyzer.verdicts.facts import Facts
from analyzer.verdicts.verdict import reason_text
from analyzer.writers.headline import VERDICT_ORDER
from analyzer.writers.tables import listed_users, plain_rows, row_keys


class UserRow(NamedTuple):
    """Hold one user for a short list; `created` is ISO text, None if it was not read.

    `caveats` are pairs of an id and a sentence, `key` is the user's row (`tables.row_keys`).
    """

    verdict: str
    account: str
    user: str
    exposure: str
    created: str | None
    reason: str
    certainty: str
    caveats: tuple[tuple[str, str], ...]
    exemption: str
    owner: str
    owner_left: str
    account_name: str
    idle_days: int | None
    key: int

    @property
    def reason_sentence(self) -> str:
        """Return the reason in words."""
        return reason_text(self.verdict, self.reason, self.idle_days)

    @property
    def day(self) -> str:
        """Return the day of creation, empty if it was not read."""
        return (self.created or "")[: len("2026-03-01")]

    @property
    def owner_text(self) -> str:
        """Return the owner, with the last day of an owner who has left."""
        return owner_with_last_day(self.owner, self.owner_left)

    @property
    def account_text(self) -> str:
        """Return the account, with its name if it is known."""
        return f"{self.account} ({self.account_name})" if self.account_name else self.account


def owner_with_last_day(owner: str, left: str) -> str:
    """Return an owner, with the last day if the owner has left."""
    return f"{owner} (left {left})" if left else owner


def user_rows(analysis: Analysis, verdicts: Collection[Verdict]) -> list[UserRow]:
    """Return the users with one of the verdicts, in the order for people."""
    rows: list[UserRow] = []
    for page, table in listed_users(analysis, verdicts):
        table["key"] = row_keys({columns.FILE: page.file, columns.ROW: page.row})
        table[columns.CREATED] = pa.array(
            page.moments[columns.USER_CREATION_TIME], pa.timestamp("s", "UTC")
        )
        plain = zip(plain_rows(table, UserRow._fields), caveat_sentences(page), strict=True)
        rows += (UserRow._make(row)._replace(caveats=caveats) for row, caveats in plain)
    return [rows[at] for at in _order_for_people(_users_with(analysis, verdicts))]


def _users_with(analysis: Analysis, verdicts: Collection[Verdict]) -> Users:
    words = [*map(str, verdicts)]
    return analysis.judged.where(is_one_of(words, analysis.judged.added[columns.VERDICT]))


def _order_for_people(users: Users) -> np.ndarray:
    """Return the positions of users by verdict, the most exposed and oldest first, exempt last.

    Users with an unknown creation time come last in their group, as in the workbook.
    """
    rank = _ranks(users.added[columns.VERDICT], VERDICT_ORDER)
    is_exempt = ~is_one_of([""], users.added[columns.EXEMPTION])
    exposure = _ranks(users.added[columns.EXPOSURE], EXPOSURES)
    created = users.moments[columns.USER_CREATION_TIME]
    account, user = texts(users.account), texts(users.text[columns.USER])
    return stable_order(is_exempt, rank, exposure, created, account, user)


def _ranks(words: pa.DictionaryArray, order: Sequence[str]) -> np.ndarray:
    """Return the position of each word in an order of all words."""
    ranks = np.array([order.index(word) for word in words.dictionary.to_pylist()])
    return np.asarray(ranks[words.indices])


# Names


def write_names(analysis: Analysis, stream: BinaryIO, verdicts: Collection[Verdict]) -> None:
    """Write the names of the users of `write_arns`; for several accounts `123456789012/name`."""
    users = users_to_act_on(_users_with(analysis, verdicts), analysis.report.files)
    write_name_lines(users, stream, several=len(analysis.report.accounts) > 1)


def write_arns(analysis: Analysis, stream: BinaryIO, verdicts: Collection[Verdict]) -> None:
    """Write the ARNs of the users with one of the verdicts, in the order for people.

    The list is piped into commands that act on the users. Always left out, whatever the verdict,
    are exempt users, users with caveats, those with an active service-specific credential, and
    those whose name says that they have one, if no saved list shows their credentials.
    """
    users = users_to_act_on(_users_with(analysis, verdicts), analysis.report.files)
    write_lines(users.arn, stream)


def users_to_act_on(listed: Users, files: Sequence[ReportFile]) -> Users:
    """Return the users of a list of names, in the order for people (`write_arns`)."""
    left_out = _left_out_by_reason(listed, files)
    users = listed.where(~np.logical_or.reduce([*left_out.values()]))
    return users.take(_order_for_people(users))


def write_name_lines(users: Users, stream: BinaryIO, *, several: bool) -> None:
    """Write the names of users, with their account if there are several accounts."""
    names = texts(users.text[columns.USER])
    write_lines(joined(texts(users.account), "/", names) if several else names, stream)


def write_lines(lines: pa.Array, stream: BinaryIO) -> None:
    """Write one text a line."""
    stream.write("".join(f"{printable(line)}\n" for line in lines.to_pylist()).encode())


def omitted_users_sentence(analysis: Analysis, verdicts: Collection[Verdict]) -> Iterator[str]:
    """Yield how many users with one of the verdicts are left out and why, nothing for none."""
    yield from omission_sentence([(_users_with(analysis, verdicts), analysis.report.files)])


def omission_sentence(lists: Iterable[tuple[Users, Sequence[ReportFile]]]) -> Iterator[str]:
    """Yield how many users of lists, each with its files, are left out and why."""
    numbers: Counter[str] = Counter()
    for listed, files in lists:
        reasons = _left_out_by_reason(listed, files)
        numbers.update({reason: int(mask.sum()) for reason, mask in reasons.items()})
    if parts := numbers_text(numbers):
        yield f"Left out of the list: {parts}."


def _left_out_by_reason(page: Users, files: Sequence[ReportFile]) -> dict[str, np.ndarray]:
    """Return by reason which users are left out; each user has at most one reason."""
    exempt = ~is_one_of([""], page.added[columns.EXEMPTION])
    live = Facts(page).service_credential
    check_first = is_one_of([Certainty.CHECK], page.added[columns.CERTAINTY])
    # No list of the credentials from AWS was saved, so the name of the user decides.
    without_list = np.array([not file.shows_service_credentials for file in files])
    named = Facts(page).service_key_name & without_list[page.file]
    safe = ~(exempt | live | named)
    return {
        "to check": check_first & safe,
        "with an active service-specific credential": live & ~exempt,
        "that may have an active service-specific credential": named & ~(exempt | live),
        "exempt": exempt,
    }
