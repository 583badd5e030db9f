from datetime import timedelta

import analyzer
from tests.support.builders import (
    AS_OF,
    COLUMNS_OF_2014,
    NEVER,
    Row,
    Value,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    in_slot,
    no_key,
    report_text,
    the_root,
)
from tests.support.named_reports import load_named
from tests.support.pages import (
    BY_ID,
    FAILS,
    UNDECIDED,
    check_facts,
    check_outcomes,
    findings_on,
    found,
    outcomes,
    page_of,
)

RULE = "root-used"
LIMIT, SECOND = days_before(30), timedelta(seconds=1)
OLD, NEW = days_before(900), days_before(1)
NOT_UNDERSTOOD = 'password_last_used "once" is not understood'


def root(password: Value = NEVER, key_1: Row | None = None, key_2: Row | None = None) -> Row:
    keys = in_slot("access_key", 1, key_1 or no_key()) | in_slot("access_key", 2, key_2 or no_key())
    return the_root(password_last_used=password) | keys


UNREAD_USE = root(OLD, no_key() | {"last_used_date": "-"})


def test_the_newest_of_three_uses_fails_for_30_days() -> None:
    roots = {
        "just below": (root(LIMIT + SECOND), FAILS),
        "at the limit": (root(LIMIT), None),
        "just above": (root(LIMIT - SECOND), None),
        "in the future": (root(days_before(-1)), FAILS),
        "never": (root(NEVER), None),
        "key 1": (root(OLD, a_key(used=LIMIT + SECOND)), FAILS),
        "key 2": (root(OLD, None, a_key(used=NEW)), FAILS),
        "inactive now, but used": (root(NEVER, an_inactive_key(used=NEW)), FAILS),
        "untold": (root("not_supported"), UNDECIDED),
        "unknown sign-in": (root("once", a_key(used=OLD)), UNDECIDED),
        "unknown use of a key": (root(OLD, None, a_key(used="once")), UNDECIDED),
        "unknown use of no key": (UNREAD_USE, UNDECIDED),
        "used all the same": (root(NEW, no_key() | {"last_used_date": "-"}), FAILS),
    }
    check_outcomes(RULE, roots)


def test_a_report_without_last_use_of_keys_leaves_a_root_key_undecided() -> None:
    assert outcomes(RULE, root(OLD, a_key()), columns=COLUMNS_OF_2014) == {0: UNDECIDED}
    assert outcomes(RULE, root(OLD), columns=COLUMNS_OF_2014) == {}


def test_the_fact_names_the_credential() -> None:
    last = "last used 2026-04-30, 1 day before as-of; limit 30"
    facts = {
        f"password {last}": root(NEW, a_key(used=OLD)),
        f"access key 1 {last}": root(OLD, a_key(used=NEW)),
        f"access key 2 {last}": root(OLD, None, a_key(used=NEW)),
        NOT_UNDERSTOOD: root("once"),
        'access_key_1_last_rotated "N/A" contradicts access_key_1_last_used_date "-"; '
        'access_key_1_last_used_date "-" is not understood': UNREAD_USE,
    }
    check_facts(RULE, facts)


def test_the_days_count_from_the_newest_use_where_every_use_is_known() -> None:
    known = root(days_before(20), a_key(used=OLD), a_key(used=NEW))
    unknown = root("once", a_key(used=NEW)), root(NEW, None, a_key(used="once"))
    frame = found(RULE, known, *unknown)
    assert frame["outcome"].tolist() == [FAILS] * 3
    assert frame["days"].fillna(-1).tolist() == [1, -1, -1]
    assert frame["since"][0] == NEW


ASSUMED = "password last used 2026-04-30, 1 day before as-of, which is assumed and may be later"


def test_an_assumed_as_of_leaves_a_late_use_undecided() -> None:
    facts = {
        ASSUMED: root(NEW),
        ASSUMED.replace("2026-04-30, 1 day", "2026-04-01, 29 days"): root(LIMIT + SECOND),
        NOT_UNDERSTOOD: root("once", a_key(used=OLD)),
    }
    passing = root(LIMIT), root(NEVER)  # by a later as-of too
    page = page_of([*facts.values(), *passing], as_of_source="assumed")
    frame = findings_on(page, [BY_ID[RULE]], of_roots=True)
    assert frame["fact"].tolist() == list(facts)
    assert frame["outcome"].tolist() == [UNDECIDED] * len(facts)


def test_a_report_whose_as_of_is_assumed_says_so() -> None:
    text = report_text([a_user(password=a_password(AS_OF))], root=root(NEW))
    report = load_named(("report.csv", text.encode()))
    findings = analyzer.analyze(report).rule_results.findings
    assert findings.loc[findings["rule"] == RULE, "outcome"].tolist() == [UNDECIDED]
