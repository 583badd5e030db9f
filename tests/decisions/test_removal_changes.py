"""Whatever happened to a user after the report is noticed, and the user is left alone."""

import random
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from analyzer.decisions.credentials import Moment
from analyzer.decisions.decision import Decision
from analyzer.decisions.plan import FUNCTIONS
from tests.support.aws_account import ACCOUNT, AwsAccount, User, stated
from tests.support.aws_stub import AwsStub
from tests.support.removals import (
    BASELINE,
    CREATED,
    DELETABLE,
    EVERYTHING,
    HOUR,
    KEY_CREATED,
    KEY_USED,
    PASSWORD_CHANGED,
    SECOND,
    SERVICE,
    SHELLS,
    SIGNED_IN,
    UPLOADED,
    Removal,
    attach_permissions,
    credential,
    deletable,
    exists,
    removal,
)

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in half the time

Change = Callable[[AwsAccount, User], object]
Seen = dict[str, Any]
When = datetime | str

LATE, EARLY = BASELINE + SECOND, CREATED
PRECISION = timedelta(minutes=15)
ALL, NONE, UNDATED = EVERYTHING, Seen(), EVERYTHING | {"password_changed": Moment()}
NO_PASSWORD = EVERYTHING | {"has_password": False}
USED_KEY = credential(CREATED, active=True, last_used=KEY_USED)
TIE: Seen = {"keys": (USED_KEY, credential(CREATED, active=False))}
"""Two access keys of the same second."""

TIE_AND_LATER: Seen = {"keys": (*TIE["keys"], credential(KEY_CREATED, active=False))}

KEYS, CERTS, DEVICES = "list-access-keys", "list-signing-certificates", "list-mfa-devices"
SSH, SERVICES = "list-ssh-public-keys", "list-service-specific-credentials"


def text(when: When) -> str:
    return when if isinstance(when, str) else stated(when)


def signed_in(when: When) -> Change:
    return lambda _, user: setattr(user, "signed_in", text(when))


def password(when: When | None) -> Change:
    return lambda _, user: setattr(user, "password", when and text(when))


def added(name: str, status: str, when: When) -> Change:
    return lambda _, user: user.lists[name].append([status, text(when), "NEW"])


def status(name: str, place: int, word: str) -> Change:
    return lambda _, user: user.lists[name][place].__setitem__(0, word)


def activated(name: str, place: int) -> Change:
    return status(name, place, "Active")


def off(name: str, place: int) -> Change:
    return status(name, place, "Inactive")


def replaced(name: str, when: When) -> Change:
    return lambda _, user: user.lists[name][0].__setitem__(1, text(when))


def removed(name: str, place: int) -> Change:
    return lambda _, user: user.lists[name].pop(place)


def used(place: int, when: When) -> Change:
    return lambda account, user: account.uses.update({user.lists[KEYS][place][2]: text(when)})


def created(when: When) -> Change:
    return lambda _, user: setattr(user, "created", text(when))


def in_fractions(_: AwsAccount, user: User) -> None:
    """Let AWS say the creation time to the millisecond."""
    user.created = user.created.replace("Z", ".999Z")


def arn(old: str, new: str) -> Change:
    return lambda _, user: setattr(user, "arn", user.arn.replace(old, new))


def tagged(*tags: str) -> Change:
    return lambda _, user: setattr(user, "tags", list(tags))


def renamed(*names: str, reused: bool = False) -> Change:
    """Let there be other users of that creation time, and a new one of the name or none."""

    def change(account: AwsAccount, user: User) -> None:
        path, _, own = user.arn.rpartition("/")
        del account.users[own]
        account.users.update({name: User(f"{path}/{name}", user.created) for name in names})
        if reused:
            account.add(user.arn, CREATED + HOUR)

    return change


def not_found(account: AwsAccount, user: User) -> None:
    account.refusals[f"get-user {user.arn.rpartition('/')[2]}"] = "NoSuchEntity"


def both(*changes: Change) -> Change:
    return lambda account, user: [each(account, user) for each in changes]


Rows = dict[str, tuple[Change, str]]
NOT_THERE, OTHER = "not in the report", "another user of this name"
UNCLEAR = "unclear, run this script again in some minutes"
FIRST, TWO_OF = "is active: deactivate it first, and plan from a", "created at 2024-02-03T04:05:06Z"
UNTIL = KEY_USED + PRECISION
NEW_OF_SECOND = added(KEYS, "Inactive", KEY_CREATED)
OF_ALL: Rows = {
    "sign-in a second later": (signed_in(SIGNED_IN + SECOND), "signed in at 2025-01-01T09:00:08"),
    "sign-in of unknown time": (signed_in("yesterday"), "signed in at yesterday"),
    "password a second later": (password(PASSWORD_CHANGED + SECOND), "at 2024-02-03T05:05:07"),
    "password of unknown time": (password("None"), "a password was set at None"),
    "active key created": (added(KEYS, "Active", LATE), "access key NEW, created at"),
    "key activated": (activated(KEYS, 1), "access key AKIA1bob is active: inactive in the report"),
    "key activated, one off": (both(off(KEYS, 0), activated(KEYS, 1)), "AKIA1bob is active"),
    "key activated, one gone": (both(activated(KEYS, 1), removed(KEYS, 0)), "AKIA1bob is active"),
    "inactive key of unknown status": (status(KEYS, 1, "Expired"), "is active"),
    "key used too late": (used(0, UNTIL + SECOND), "AKIA0bob was used at 2025-02-02T10:15:01"),
    "key used for the first time": (used(1, KEY_USED), "access key AKIA1bob was used"),
    "key used after the report": (used(0, LATE), "AKIA0bob was used at"),
    "key used at an unknown time": (used(0, "None"), "was used at None"),
    "key a second newer": (replaced(KEYS, KEY_CREATED + SECOND), NOT_THERE),
    "key a second older": (replaced(KEYS, KEY_CREATED - SECOND), NOT_THERE),
    "key of unknown creation": (replaced(KEYS, "None"), "created at None"),
    "second key of the second": (NEW_OF_SECOND, NOT_THERE),
    "key replaced by the state of the other": (both(removed(KEYS, 1), NEW_OF_SECOND), NOT_THERE),
    "certificate added": (added(CERTS, "Active", LATE), "signing certificate NEW"),
    "certificate activated": (activated(CERTS, 0), "certificate CERT0 is active: inactive in the"),
    "certificate replaced": (replaced(CERTS, UPLOADED + SECOND), NOT_THERE),
    "MFA device added": (added(DEVICES, "-", LATE), "MFA device NEW was created at"),
    "MFA device of unknown creation": (replaced(DEVICES, "None"), "at None: after the report"),
    "born a second later": (created(CREATED + SECOND), f"{OTHER}, created at 2024-02-03T04:05:07Z"),
    "born a second earlier": (created(CREATED - SECOND), OTHER),
    "created at a time of another form": (created("2024-2-3T04:05:06Z"), OTHER),
    "created in another time zone": (created("2024-02-03T04:05:06+01:00"), OTHER),
    "created at no time": (created("None"), OTHER),
    "moved": (arn("user/", "user/left/"), f"{OTHER}: arn:aws:iam::{ACCOUNT}:user/left/bob"),
    "in another partition": (arn("aws:", "aws-cn:"), OTHER),
    "in another account": (arn(ACCOUNT, "444455556666"), OTHER),
    "named in other case": (arn("bob", "BOB"), OTHER),
    "renamed": (renamed("rob"), "possibly renamed to rob: created at the same time"),
    "renamed, or one of two": (renamed("=rob", "-x"), "possibly renamed to =rob -x:"),
    "renamed, and the name used again": (renamed("robert", reused=True), OTHER),
    "not found, and listed": (not_found, f"and list-users shows it: {UNCLEAR}"),
    "not found, and listed as created later": (both(created(LATE), not_found), UNCLEAR),
}
OF_NO_PASSWORD: Rows = {
    "later sign-in, no password": (signed_in(SIGNED_IN + SECOND), "at 2025-01-01T09:00:08"),
    "password set again": (password(PASSWORD_CHANGED), "a password was set at"),
}
OF_NOTHING: Rows = {
    "first sign-in": (signed_in(SIGNED_IN), "signed in at"),
    "first password": (password(EARLY), "a password was set at"),
    "key that no report showed": (added(KEYS, "Inactive", EARLY), NOT_THERE),
    "key of the baseline": (added(KEYS, "Inactive", BASELINE), f"T12:00:30Z: {NOT_THERE}"),
    "first certificate": (added(CERTS, "Inactive", EARLY), NOT_THERE),
    "first MFA device": (added(DEVICES, "-", EARLY), f"an MFA device is registered: {NOT_THERE}"),
    # What no report shows
    "SSH key added": (added(SSH, "Active", LATE), "SSH public key NEW was created"),
    "inactive SSH key added": (added(SSH, "Inactive", LATE), "after the report"),
    "SSH key of unknown creation": (added(SSH, "Inactive", "None"), "at None"),
    "active SSH key": (
        added(SSH, "Active", EARLY),
        "SSH public key NEW is active: no report shows it",
    ),
    "SSH key of unknown status": (added(SSH, "-", EARLY), "is active"),
    "service added": (added(SERVICES, "Active", LATE), "service-specific credential NEW was"),
    "expired service added": (added(SERVICES, "Expired", LATE), "after the report"),
    "active service credential": (added(SERVICES, "Active", EARLY), "no report and no list named"),
    # Spared
    "tagged": (tagged("credreport:keep"), "it has the tag credreport:keep"),
    "tagged among others": (tagged("a", "credreport:keep", "b"), "has the tag"),
    "tagged in other case": (tagged("CredReport:Keep"), "has the tag"),
}
OF_TIE: Rows = {
    "tie: the inactive one activated": (activated(KEYS, 1), "is active"),
    "tie: the unused one used": (used(1, KEY_USED), "access key AKIA"),
    "tie: the used one used again": (used(0, LATE), "was used at"),
    "tie: states exchanged": (both(off(KEYS, 0), activated(KEYS, 1)), "is active"),
    "tie: one gone, the other used": (both(used(1, LATE), removed(KEYS, 0)), "was used at"),
    "tie: one gone": (removed(KEYS, 0), f"one access key {TWO_OF} is gone, and which one is not"),
    "tie: the inactive one gone": (removed(KEYS, 1), "access key AKIA0"),
    "tie: a third one": (added(KEYS, "Inactive", EARLY), NOT_THERE),
}
OF_TIE_AND_LATER: Rows = {
    "tie: one gone, and a later one left": (removed(KEYS, 0), f"one access key {TWO_OF} is gone")
}
OF_UNDATED: Rows = {"password set": (password(LATE), "a password was set at")}
CHANGES = {
    name: (seen, *row)
    for seen, rows in (
        (ALL, OF_ALL),
        (NO_PASSWORD, OF_NO_PASSWORD),
        (NONE, OF_NOTHING),
        (TIE, OF_TIE),
        (TIE_AND_LATER, OF_TIE_AND_LATER),
        (UNDATED, OF_UNDATED),
    )
    for name, row in rows.items()
}
"""What was seen, what happened then, and how the script says it.

To be deleted is a user who has all of it inactive, and a password never used.
"""

HARMLESS: tuple[Change, ...] = (
    added(SSH, "Inactive", BASELINE),
    added(SERVICES, "Expired", EARLY),
    tagged("keep", "credreport", "credreport:keeper", "x:credreport:keep"),
    added("list-user-policies", "-", "-"),
    added("list-groups-for-user", "-", "-"),
)


class Case(NamedTuple):
    """Hold what was decided on a user that something happened to, and what is said of it."""

    name: str
    removal: Removal
    reason: str


def cases(
    aws: AwsStub, names: Iterable[str], decision: Decision = Decision.DELETE, harmless: int = 0
) -> list[Case]:
    """Let what the names say happen, each to a user of its own.

    Let harmless things happen as well, chosen by chance, but the same in each run.
    """
    users = []
    for number, name in enumerate(names):
        seen, change, reason = CHANGES[name]
        bob, alone = f"bob{number}", name.startswith("renamed")
        born = CREATED - (number + 1) * HOUR if alone else CREATED
        state = deletable(seen) if decision is Decision.DELETE else seen
        each = removal(bob, **state, decision=decision, created=born)
        user = exists(aws.account, each)
        for happens in (*random.Random(name).sample(HARMLESS, harmless), change):
            happens(aws.account, user)
        users.append(Case(name, each, reason.replace("bob", bob)))
    return users


def check_all_are_skipped(aws: AwsStub, users: Sequence[Case]) -> None:
    """Check that each user is skipped for its reason; let a preview say so of some of them."""
    before, some = aws.account.copy(), users[::5]
    shown = aws.preview(*(each.removal for each in some))
    run = aws.apply(*(each.removal for each in users))
    assert (shown.code, shown.log, run.code, run.messages) == (1, [], 1, "")
    last = {line["arn"]: line for line in run.log}
    for each in users:
        end = last[each.removal.arn]
        assert (end["result"], each.reason in end["detail"]) == ("skipped", True), (each, end)
        skipped = f"  skipped: {end['detail']}\n"
        assert (skipped in run.output, skipped in shown.output or each not in some) == (True, True)
    assert f"would be done 0, gone before 0, skipped {len(some)}, failed 0" in shown.output
    assert (aws.changes(), aws.backups(), aws.account.copy()) == ([], [], before)


@pytest.mark.parametrize(("shell", "version", "harmless"), [("dash", 1, 0), ("bash", 2, 2)])
def test_a_user_that_shows_more_than_the_reviewer_saw_is_skipped(
    aws: AwsStub, harmless: int
) -> None:
    check_all_are_skipped(aws, cases(aws, CHANGES, harmless=harmless))


PLANNED: dict[str, tuple[Seen, str]] = {
    "key": ({"keys": (USED_KEY,)}, f"access key AKIA0key {FIRST}"),
    "certificate": (
        {"certificates": (credential(UPLOADED, active=True),)},
        f"signing certificate CERT0 {FIRST}",
    ),
    "password": (
        {"has_password": True, "last_sign_in": Moment(SIGNED_IN)},
        "it has a password, last used at 2025-01-01T09:00:07Z: deactivate it first, and plan",
    ),
}


def test_a_user_with_access_is_not_deleted_though_the_plan_shows_it(aws: AwsStub) -> None:
    """Let each show what the line of the plan has, which a plan would not have of a deletion."""
    users = [Case(name, removal(name, **seen), reason) for name, (seen, reason) in PLANNED.items()]
    for each in users:
        exists(aws.account, each.removal)
    check_all_are_skipped(aws, users)


def test_what_is_noticed_before_a_deletion_is_before_a_deactivation_too(aws: AwsStub) -> None:
    names = list(CHANGES)
    check_all_are_skipped(aws, cases(aws, names[::4], Decision.DEACTIVATE))


def test_who_goes_while_the_script_runs_is_gone_and_who_is_renamed_is_skipped(aws: AwsStub) -> None:
    names = ("went before", "-gone", "renamed")
    users = [removal(name, created=CREATED - at * HOUR) for at, name in enumerate(names)]
    there = {each.user: exists(aws.account, each) for each in users[1:]}
    aws.account.meanwhile |= {
        "get-user -gone": lambda: aws.account.users.pop("-gone"),
        "get-user renamed": lambda: renamed("rob")(aws.account, there["renamed"]),
    }
    run = aws.apply(*users)
    assert list(run.results().values()) == ["gone", "gone", "skipped"], run.output
    assert "possibly renamed to rob: created at the same time" in run.output


def turned(_: AwsAccount, user: User) -> None:
    user.lists[KEYS].reverse()


SAME: dict[str, tuple[Any, ...]] = {
    "nothing happened": (ALL,),
    "fractions of a second, earlier times, and keys in another order": (
        ALL,
        in_fractions,
        password(EARLY),
        used(0, KEY_USED - HOUR),
        replaced(DEVICES, BASELINE),
        turned,
    ),
    "a use within the tolerance, a certificate deleted": (ALL, used(0, UNTIL), removed(CERTS, 0)),
    "the password deleted, the MFA device removed": (ALL, password(None), removed(DEVICES, 0)),
    "a password used until the report, and deleted by then": (NO_PASSWORD,),
    "a key deleted": (ALL, removed(KEYS, 0)),
    "a password set at the baseline": ({"has_password": True}, password(BASELINE)),
    "what no report shows, of the baseline; other tags; another user of the second": (
        NONE,
        *HARMLESS[:3],
        lambda account, _: account.add("user/twin", CREATED),
    ),
    "nothing happened to two keys of a second": (TIE,),
    "two keys of a second are in another order": (TIE, turned),
    "both keys of a second deleted": (TIE, removed(KEYS, 0), removed(KEYS, 0)),
}
"""What was seen, and what happened then that is no more access and no later use."""


@pytest.mark.parametrize(("shell", "version"), [("dash", 2), ("bash", 1)])
def test_a_user_that_shows_no_more_than_the_reviewer_saw_is_deleted(
    aws: AwsStub, version: int
) -> None:
    names = list(SAME)[version - 1 :: 2]
    users = [removal(f"bob{at}", **deletable(SAME[name][0])) for at, name in enumerate(names)]
    for each, name in zip(users, names, strict=True):
        both(*SAME[name][1:])(aws.account, exists(aws.account, each))
    run = aws.apply(*users)
    results = dict(zip(names, run.results().values(), strict=True))
    assert results == dict.fromkeys(names, "done"), run.output
    assert (run.code, run.messages) == (0, "")
    assert aws.account.users.keys() <= {"twin"}


LIVE = ("active SSH key", "SSH key of unknown status", "active service credential")


def test_a_live_credential_that_no_report_and_no_list_named_is_not_deactivated(
    aws: AwsStub,
) -> None:
    users = cases(aws, LIVE, Decision.DEACTIVATE)
    run = aws.apply(*(each.removal for each in users))
    assert (set(run.results().values()), aws.changes()) == ({"skipped"}, [])
    named = removal(
        "named", decision=Decision.DEACTIVATE, services=f"bedrock.amazonaws.com, {SERVICE}"
    )
    added(SERVICES, "Active", EARLY)(aws.account, exists(aws.account, named))
    assert aws.apply(named).results() == (run.results() | {named.arn: "done"})
    other = removal("other", decision=Decision.DEACTIVATE, services="bedrock.amazonaws.com")
    added(SERVICES, "Active", EARLY)(aws.account, exists(aws.account, other))
    assert aws.apply(other).results()[other.arn] == "skipped"


SECONDS = [
    # Users that AWS shows of the second, what was seen beside, who is to be deleted too.
    (["bob"], [], [], "done"),
    (["bob", "x"], ["x"], [], "done"),
    (["bob", "x"], [], [], "user x was created in the same second: not in the report"),
    (["bob"], ["x"], [], "user x, created in the same second, is gone: perhaps this is that user"),
    (["bob"], ["x"], ["x"], "done"),
    (["bob", "x"], ["x"], ["x"], "done"),
    (["bob", "x-2"], ["x", "x-2"], ["x"], "done"),
    (["bob", "bo"], ["bo.b"], [], "user bo was created in the same second"),
]


@pytest.mark.parametrize(("there", "beside", "leaving", "result"), SECONDS)
def test_the_second_of_a_user_holds_the_names_that_were_seen_but_for_those_to_be_deleted(
    aws: AwsStub, there: list[str], beside: list[str], leaving: list[str], result: str
) -> None:
    for name in there:
        aws.account.add(f"arn:aws:iam::{ACCOUNT}:user/{name}", CREATED)
    run = aws.apply(removal(beside=beside, to_delete=leaving))
    end = run.log[-1]
    assert (end["result"] if result == "done" else end["detail"]).startswith(result)
    assert sum(call[1] == "list-users" for call in aws.calls) == 1


NO_LIST = "list-users shows no user: "
NOT_LISTED = "get-user finds the user, and list-users does not show it: "
UNCLEAR_LISTS = (
    # A user, what list-users answers without an error, and what is said of the user.
    ("bob", "", NO_LIST),
    ("bob", "None\n", NO_LIST),
    ("bob", f"{stated(CREATED)}\tcarl\n", NOT_LISTED),
    ("bob", f"{stated(CREATED)}\tbobby\n{stated(CREATED - SECOND)}\tbob\n", NOT_LISTED),
    ("gone", "", NO_LIST),
    ("gone", "None\n", NO_LIST),
)


@pytest.mark.parametrize(("name", "answer", "message"), UNCLEAR_LISTS)
def test_a_list_of_users_without_the_user_shows_nothing_of_its_second(
    aws: AwsStub, name: str, answer: str, message: str
) -> None:
    exists(aws.account, removal())
    aws.account.add(f"arn:aws:iam::{ACCOUNT}:user/carl", CREATED)
    aws.account.answers["list-users"] = answer
    run = aws.apply(removal(name, created=CREATED, beside=["carl"]))
    assert (run.code, run.log[-1]["result"], aws.changes()) == (1, "skipped", [])
    assert run.log[-1]["detail"] == message + UNCLEAR


def test_a_list_of_users_that_shows_none_is_asked_for_again(aws: AwsStub) -> None:
    ann = removal("ann")
    for each in (removal(), ann):
        exists(aws.account, each)
    aws.account.answers["list-users"] = "None\n"
    aws.account.meanwhile["get-user ann"] = aws.account.answers.clear
    assert aws.apply(removal(), ann).results() == {removal().arn: "skipped", ann.arn: "done"}


MEANWHILE: dict[str, tuple[Change, str]] = {
    "again": (created(LATE), "another user of this name, created at"),
    "used": (signed_in(LATE), "signed in at"),
    "tagged": (tagged("credreport:keep"), "has the tag"),
    "twin": (lambda _, user: setattr(user, "id", "AIDA2"), "another user has this name"),
    "key-on": (activated(KEYS, 1), "access key AKIA1key-on is active"),
    "key": (added(KEYS, "Active", LATE), "access key NEW"),
    "key-off": (added(KEYS, "Inactive", LATE), "access key NEW"),
    "certificate-on": (activated(CERTS, 0), "signing certificate CERT0 is active"),
    "certificate": (added(CERTS, "Active", LATE), "signing certificate NEW"),
    "ssh-on": (activated(SSH, 0), "SSH public key APKA1 is active"),
    "ssh": (added(SSH, "Active", LATE), "SSH public key NEW was created"),
    "service-on": (activated(SERVICES, 0), "service-specific credential ACCA1 is active"),
    "service": (added(SERVICES, "Active", LATE), "service-specific credential NEW was created"),
    "password": (password(LATE), "a password was set at"),
    "mfa": (added(DEVICES, "-", LATE), "MFA device NEW was created"),
    "unclear": (not_found, UNCLEAR),
    "gone": (renamed(), "does not exist any more"),
    "renamed": (renamed("rob"), "possibly renamed to rob"),
}
DELETE, DEACTIVATE = Decision.DELETE, Decision.DEACTIVATE
LAST_READ = "list-user-policies"
AT_ALL = [name for name in MEANWHILE if name not in ("gone", "renamed")]
LATER = ("used", "key", "ssh", "password", "gone")
MOMENTS: tuple[tuple[str, Decision, str, Sequence[str]], ...] = (
    ("dash", DELETE, LAST_READ, AT_ALL),
    ("bash", DEACTIVATE, LAST_READ, AT_ALL),
    ("dash", DEACTIVATE, "update-access-key", ("certificate-on", "key-on", "again", "renamed")),
    ("bash", DELETE, "remove-user-from-group", ("twin", "key-on", "unclear") + LATER),
    ("dash", DELETE, "delete-login-profile", ("certificate", "service", "gone")),
    ("dash", DELETE, "delete-access-key", LATER),
    ("dash", DELETE, "deactivate-mfa-device", ("mfa", *LATER)),
)
"""The decision, the call in which something happens, and what may happen then."""


@pytest.mark.parametrize(("shell", "decision", "call", "events"), MOMENTS)
def test_a_user_is_looked_at_once_more_before_each_change(
    aws: AwsStub, decision: Decision, call: str, events: Sequence[str]
) -> None:
    state = DELETABLE if decision is DELETE else EVERYTHING
    users = [
        removal(name, **state, created=CREATED - n * HOUR, decision=decision)
        for n, name in enumerate(events)
    ]
    for each in users:
        user = exists(aws.account, each)
        attach_permissions(user)
        user.lists["list-user-policies"].clear()
        user.lists["list-attached-user-policies"].clear()
        happens = partial(MEANWHILE[each.user][0], aws.account, user)
        aws.account.meanwhile[f"{call} {each.user}"] = happens
    aws.apply(*users[:-1])
    run = aws.apply(users[-1])  # A run lists the users of the account once.
    assert run.code == 1 or events[-1] == "gone"
    ends = {line["user"]: line for line in run.log if line["step"] == "end"}
    for name in events:
        result, reason = "skipped" if call == LAST_READ else "failed", MEANWHILE[name][1]
        result = "gone" if name == "gone" else result
        assert (ends[name]["result"], reason in ends[name]["detail"]) == (result, True), name
    assert aws.untrue() == []


def test_the_users_of_the_account_are_listed_once(aws: AwsStub) -> None:
    aws.account.add(f"arn:aws:iam::{ACCOUNT}:user/twin", CREATED)
    a, c = (removal(name, created=CREATED) for name in "ac")
    users = [a, removal("b", created=CREATED + SECOND), c]
    run = aws.apply(*users)
    assert list(run.results().values()) == ["skipped", "gone", "skipped"]
    assert sum(call[1] == "list-users" for call in aws.calls) == 1


@pytest.mark.parametrize("shell", [*SHELLS, *filter(shutil.which, ["mksh"])])
def test_a_time_two_years_later_is_later_also_in_a_shell_of_small_numbers(
    shell: str, tmp_path: Path
) -> None:
    # mksh, whose numbers have 32 bits, is rarely installed: nothing that large is a number here.
    assert not re.search(r"-(lt|le|gt|ge) \"\$", FUNCTIONS)
    times = [f"{year}-01-01T09:00:07Z" for year in (2025, 2027)]
    calls = [f"not_after {' '.join(each)} && say yes || say no" for each in (times, times[::-1])]
    (file := tmp_path / "script.sh").write_text(
        "\n".join(["log_columns=''", FUNCTIONS, *calls, ""])
    )
    ended = subprocess.run([shell, file], capture_output=True, text=True, check=False)
    assert (ended.stdout.split(), ended.stderr) == (["yes", "no"], "")
