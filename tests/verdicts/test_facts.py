"""What is unknown is neither yes nor no, and sentences name the cells for which it is."""

import shlex
from itertools import product
from typing import Any

import botocore.session
import numpy as np
import pytest
from botocore import xform_name

from analyzer.limits import Criteria, Definition
from analyzer.verdicts.caveats import CAVEATS as EVERY
from analyzer.verdicts.caveats import aws_commands, caveat_sentences
from analyzer.verdicts.facts import Facts
from analyzer.verdicts.truth import Elapsed, Truth
from analyzer.verdicts.verdict import unused_definition
from tests.support.builders import (
    COLUMNS,
    Row,
    a_certificate,
    a_key,
    a_user,
    an_inactive_key,
    days_before,
)
from tests.support.pages import of_users, page_of
from tests.support.rule_oracle import Known, both, either, no

ANSWERS = (True, False, None)
PAIRS = list(product(ANSWERS, ANSWERS))


def truth(*answers: Known) -> Truth:
    return Truth(
        np.array([each is True for each in answers]), np.array([each is False for each in answers])
    )


def answers(found: Truth) -> list[Known]:
    assert not (found.yes & found.no).any()
    assert (found.unknown == ~(found.yes | found.no)).all()
    pairs = zip(found.yes.flat, found.no.flat, strict=True)
    return [True if yes else False if no else None for yes, no in pairs]


def test_what_is_unknown_is_neither_yes_nor_no() -> None:
    holds, unknown = np.array([list(pair) for pair in product((True, False), repeat=2)]).T
    assert answers(Truth.unless_unknown(holds, unknown)) == [None, True, None, False]
    assert truth(*ANSWERS).unknown.tolist() == [False, False, True]


def test_and_or_and_not_decide_as_much_as_the_known_parts_allow() -> None:
    one, other = (truth(*side) for side in zip(*PAIRS, strict=True))
    assert answers(one & other) == [both(*pair) for pair in PAIRS]
    assert answers(one | other) == [either(*pair) for pair in PAIRS]
    assert answers(~one) == [no(first) for first, _ in PAIRS]
    of_slots = Truth(np.stack([one.yes, other.yes]), np.stack([one.no, other.no]))
    assert answers(of_slots.in_any_slot()) == [either(*pair) for pair in PAIRS]
    assert answers(of_slots.in_every_slot()) == [both(*pair) for pair in PAIRS]


def test_no_comparison_holds_where_there_is_no_moment_and_none_is_decided_where_it_is_unknown() -> (
    None
):
    days, present = np.array([7, 8, 0, 0]), np.array([True, True, False, False])
    elapsed = Elapsed(days, days, present, unknown=np.array([False, False, False, True]))
    assert answers(elapsed.exists) == [True, True, False, None]
    assert answers(elapsed.at_least(8)) == [False, True, False, None]
    assert answers(elapsed.at_least(0)) == [True, True, False, None]
    assert answers(elapsed.more_than(7)) == [False, True, False, None]
    assert answers(elapsed.less_than(8)) == [True, False, False, None]


def dated(key: Row, certificate: Row) -> Row:
    return a_user(key_1=key, certificate_1=certificate)


DATED: tuple[tuple[Row, Known], ...] = (
    (a_user(), False),
    (dated(a_key(), a_certificate()), True),
    (dated(an_inactive_key(), a_certificate(active=False)), True),
    (dated(an_inactive_key("soon"), a_certificate("soon", active=False)), None),
    (dated(a_key("N/A"), a_certificate("N/A")), None),
    (a_user(access_key_1_active="maybe", cert_1_active="maybe"), None),
)


@pytest.mark.no_cover
def test_the_creation_of_what_may_be_active_is_unknown_where_no_date_is_understood() -> None:
    facts = Facts(page_of([user for user, _ in DATED]))
    dates = [is_dated for _, is_dated in DATED] + [False] * len(DATED)  # of slot 1 and of slot 2
    assert answers(facts.key_age.exists) == answers(facts.certificate_age.exists) == dates


# Sentences on cells

KEY = "access_key_1"
USED_THEN: Row = {f"{KEY}_last_used_region": "a", f"{KEY}_last_used_service": "b"}
USES = " and ".join(f'{column} "{word}"' for column, word in USED_THEN.items())
UNREAD = "is not understood"
CELLS = (
    (a_user(key_1=a_key("N/A")), "last_rotated", "N/A", f'contradicts {KEY}_active "true"'),
    (a_user(key_1=a_key("soon")), "last_rotated", "soon", UNREAD),
    (a_user(key_1=a_key(used="soon")), "last_used_date", "soon", UNREAD),
    (a_user() | USED_THEN, "last_rotated", "N/A", f"contradicts {USES}"),
    (a_user(access_key_1_active="N/A"), "active", "N/A", UNREAD),
)


@pytest.mark.no_cover
def test_a_cell_of_the_right_form_is_said_to_contradict_the_others_of_its_slot() -> None:
    facts = Facts(page_of([user for user, *_ in CELLS]))
    for at, (_, name, value, problem) in enumerate(CELLS):
        sentence = facts.unknown_cell_sentence(at, f"{KEY}_{name}", value)
        assert sentence == f'{KEY}_{name} "{value}" {problem}'


# Sentences on caveats

USED, LATER = an_inactive_key(used=days_before(9)), an_inactive_key(used=days_before(8))
LATELY: Row = {f"{KEY}_last_used_date": "lately"}
ODD_CREATION = 'user_creation_time "soon" is not understood'
ODD_USE = f'{KEY}_last_used_date "lately" is not understood'
CERTIFICATE = "Active signing certificate {}: a credential that the definition does not count."
KEYS = "Inactive access key {} was used in the past."
SECOND = a_user(certificate_1=a_certificate(active=False), certificate_2=a_certificate())
CAVEATS = (
    (a_user(key_1=USED), KEYS.format("1 (2026-04-22)")),
    (a_user(key_2=USED), KEYS.format("2 (2026-04-22)")),
    (a_user(key_1=USED, key_2=LATER), KEYS.format("1 (2026-04-22) and 2 (2026-04-23)")),
    (a_user(certificate_1=a_certificate()), CERTIFICATE.format("1 (2023-08-05)")),
    (SECOND, CERTIFICATE.format("2 (2023-08-05)")),
    (a_user(created="soon"), f"{ODD_CREATION}."),
    (a_user(created="soon", key_1=an_inactive_key()) | LATELY, f"{ODD_CREATION}; {ODD_USE}."),
)


@pytest.mark.no_cover
def test_a_caveat_names_the_slots_and_cells_that_it_is_about() -> None:
    found = caveat_sentences(of_users(*(user for user, _ in CAVEATS)))
    assert [sentence for ((_, sentence),) in found] == [sentence for _, sentence in CAVEATS]


def test_the_commands_that_settle_a_caveat_are_those_of_aws_and_name_the_user_as_one_word() -> None:
    model = botocore.session.get_session().get_service_model("iam")
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    for user in ("ann", "-x", "a b'; $(id) {arn} `id`"):
        arn = f"arn:aws:iam::123456789012:user/{user}"
        commands = aws_commands({caveat.id for caveat in EVERY}, user, arn)
        for command in commands:
            aws, service, name, option = shlex.split(command)
            option, _, value = option.partition("=")
            values = {"--user-name": user, "--arn": arn}
            assert (aws, service, value) == ("aws", "iam", values.get(option, value))
            shape: Any = model.operation_model(operations[name]).input_shape
            assert option in {f"--{xform_name(member, '-')}" for member in shape.members}
    assert "aws iam get-user --user-name=-x" in aws_commands({"new-user"}, "-x", "")


def test_each_command_is_named_once_and_those_for_what_no_report_shows_always() -> None:
    of_service = "aws iam list-service-specific-credentials --user-name=ann"
    hidden = (of_service, "aws iam list-ssh-public-keys --user-name=ann")
    assert aws_commands((), "ann", "") == hidden
    service = aws_commands({"service-credential", "service-credential-user"}, "ann", "arn")
    assert list(map(service.count, hidden)) == [1, 1]


def test_a_cell_of_a_column_that_the_report_lacks_is_named_as_missing() -> None:
    columns = [name for name in COLUMNS if name != "mfa_active"]
    page = of_users(a_user(created="soon"), columns=columns)
    sentence = f"{ODD_CREATION}; mfa_active is not in this report."
    assert caveat_sentences(page) == [(("unread-cell", sentence),)]


def test_what_unused_means_says_which_keys_count() -> None:
    texts = [unused_definition(Criteria(definition=each)) for each in Definition]
    keys = ("and no active access key", "and no access key attached")
    assert texts == [f"no sign-in on record, {each}" for each in keys]


def test_what_is_known_of_a_user_counts_for_each_of_its_slots() -> None:
    user, flat = truth(*(True, None)), truth(*(False, True, None, None))
    slots = Truth(flat.yes.reshape(2, 2), flat.no.reshape(2, 2))
    assert answers(slots & user) == answers(user & slots) == [False, None, None, None]
    assert answers(slots | user) == answers(user | slots) == [True, True, True, None]
