import numpy as np
import pandas as pd
import pytest

from analyzer.lists.patterns import UserPatterns
from analyzer.report.model import TEXT
from analyzer.terms import pattern_regex

NAMES = (
    "svc-a",
    "SVC-A",
    "svc",
    "a",
    "",
    "a.b",
    "axb",
    "a\nb",
    "svc-a\n",
    "\N{KELVIN SIGN}ey",
    "key",
)
ACCOUNTS = ("111122223333", "", "111122224444")
USERS = pd.DataFrame(
    [(account, name) for account in ACCOUNTS for name in NAMES], columns=["account", "user"]
).astype(TEXT)


@pytest.mark.parametrize("account", ["*", "111122223333", "1111*", "*4444", "999999999999", "?"])
@pytest.mark.parametrize(
    "user",
    [
        "svc-a",
        "Svc-*",
        "*",
        "?",
        "",
        "*c*",
        "a.b",
        "a?b",
        "**",
        "k*",
        "*\n",
        "\N{KELVIN SIGN}*",
        "b*",
    ],
)
def test_a_pattern_matches_the_users_whose_whole_account_and_name_it_fits_in_any_case(
    account: str, user: str
) -> None:
    fits = USERS["account"].str.fullmatch(pattern_regex(account))
    fits &= USERS["user"].str.fullmatch(pattern_regex(user), case=False)
    expected = np.flatnonzero(fits.to_numpy(bool)).tolist()
    assert UserPatterns(USERS).matching(account, user).tolist() == expected
