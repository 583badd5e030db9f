"""The document for people: Markdown that GitHub renders, and the same as one HTML page.

`tests/golden/report.md` is a whole one: here is what it lacks.
"""

import io
import re
from collections import Counter
from dataclasses import replace
from functools import cache

import pytest
from lxml import etree, html
from markdown_it import MarkdownIt

from analyzer.analysis.analysis import Analysis
from analyzer.report.model import AccountName
from analyzer.terms import Verdict, printable
from analyzer.writers import markdown
from analyzer.writers.markdown import write_html
from tests.support.builders import (
    ACCOUNT,
    QUIET_PASSWORD,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
)
from tests.support.outputs import (
    ALL,
    HARD_NAMES,
    UNUSED,
    analysis_of,
    exemptions_of,
    markdown_text,
    written,
)

MARKUP = (
    ("*bold*", "_emphasis_", "__strong__", "~~gone~~", "`code`", "``", "[link](http://x.example)")
    + ("![image](http://x.example/a.png)", "[x]: http://x.example", "<http://x.example>")
    + ("http://x.example", "https://x.example", "www.x.example", "WWW.x.example", "a@x.example")
    + ("<script>alert(1)</script>", "</code></td></table><script>", "<img src=x onerror=alert(1)>")
    + ("<!--", "-->", "<!-- x", "]]>", "&lt;b&gt;", "&#60;b&#62;", "&amp;", "&", "&copy;")
    + ("a|b", r"a\|b", r"a\\|b", "|", "||", "|---|", "# heading", "## x", "> quote", "- item")
    + ("+ item", "* item", "1. item", "2) item", "---", "===", "***", "```", "~~~", "    indented")
    + ("@octocat", "@org/team", "#123", "GH-123", "org/repo#1", "$x^2$", "$$x$$", ":tada:", "\\")
    + ("a\\", "\\*", "trailing  ", "\x00", "\x85", "\u2028", "\u200b", "\ufeff", "{{ x }}", "${x}")
    + ("%0a", "{% x %}", "[^1]", "[^1]: note", "- [ ] task", "==mark==", "x" * 400)
)
NAMES = [*HARD_NAMES, *MARKUP]


class _Page:
    """Hold the tags and attributes of a page, its text, and that of each cell."""

    def __init__(self, text: str) -> None:
        elements = list(html.document_fromstring(text).iter(etree.Element))
        self.tags = Counter(each.tag for each in elements)
        self.attributes = {pair for each in elements for pair in each.items()}
        self.cells = [each.text_content() for each in elements if each.tag in ("td", "th")]
        self.text = elements[0].text_content()


def rendered(analysis: Analysis, verdicts: tuple[Verdict, ...] = ALL) -> _Page:
    """Return what GitHub's rules make of it: tables, bare links, and lines struck through."""
    renderer = MarkdownIt("commonmark", {"html": True, "linkify": False})
    text = renderer.enable(["table", "strikethrough"]).render(markdown_text(analysis, verdicts))
    return _Page(text)


def page_of(analysis: Analysis) -> str:
    return written(write_html, analysis, ALL).decode()


@cache
def hostile(*names: str) -> Analysis:
    """Return an analysis in which names stand as users, reasons, raw values, accounts and notes."""
    users = [a_user(name, mfa_active=f"x{name}") for name in names]
    listed = exemptions_of(*(f"*,exempt{at},why,," for at, _ in enumerate(names)))
    reasons = [replace(each, reason=name) for each, name in zip(listed, names, strict=True)]
    exempt = [a_user(f"exempt{at}") for at, _ in enumerate(names)]
    analysis = analysis_of([*users, *exempt], reasons)
    known = {ACCOUNT: AccountName(name="".join(names))}
    noted = replace(analysis.report, account_names=known, content_notes=names)
    return replace(analysis, report=noted)


@pytest.mark.no_cover
def test_no_name_reason_value_or_note_becomes_markup() -> None:
    # A blank in a name is not understood, as in some of the others.
    names = "a name", *(f"name{at}" for at, _ in enumerate(NAMES[1:]))
    for document in (rendered, lambda analysis: _Page(page_of(analysis))):
        page, harmless = document(hostile(*NAMES)), document(hostile(*names))
        assert (page.tags, page.attributes) == (harmless.tags, harmless.attributes)
        for name in filter(str.strip, NAMES):
            # The user, and the reason.
            assert list(map(str.strip, page.cells)).count(printable(name).strip()) == 2, name


def test_nothing_is_linked_or_mentioned_outside_of_code() -> None:
    text = markdown_text(hostile(*NAMES))
    for line in text.splitlines():
        bare = line.split("<code>")[-1].split("</code>")[-1]
        for sign in ("@", "&#64;<code>", "http://", "https://", "www.", "$"):
            assert sign not in bare
        assert bare.count("&#64;") == bare.count("&#64;<!-- -->")


def test_columns_and_tables_that_say_nothing_are_left_out() -> None:
    analysis = analysis_of([a_user("ann")])
    assert rendered(analysis, UNUSED).cells[:5] == [
        "User",
        "Exposure",
        "Created",
        "Reason",
        "Findings",
    ]
    text = markdown_text(analysis, (Verdict.DORMANT,))
    assert "\n\nOther users: 1 unused.\n\n" in text
    assert "## Findings" in text
    assert not {"## Users", "## Caveats", "## Controls"} & set(text.split("\n"))
    quiet = markdown_text(analysis_of([a_user("ann", password=QUIET_PASSWORD, mfa=True)]))
    assert "Findings: none." in quiet
    assert "| Severity |" not in quiet


def test_users_beyond_what_github_shows_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    for most, more in ((2, ""), (1, "Not listed here: 1 more user.")):
        monkeypatch.setattr(markdown, "MOST_USERS", most)
        page = rendered(analysis_of([a_user("ann"), a_user("bob")]))
        assert [name for name in ("ann", "bob") if name in page.cells] == ["ann", "bob"][:most]
        assert ("Not listed here" in page.text) == bool(more)
        assert more in page.text


def test_the_page_loads_and_runs_nothing_and_is_the_document() -> None:
    analysis = hostile("ann")
    text = page_of(analysis)
    page = _Page(text)
    assert not {"script", "link", "img", "iframe", "a", "base", "form"} & set(page.tags)
    assert not {"src", "href"} & {name for name, _ in page.attributes}
    assert "default-src 'none'" in text
    assert "url(" not in text
    assert re.search(r"body \{[^}]*overflow-wrap: anywhere", text)  # long names stay in sight
    assert page.cells == rendered(analysis).cells
    title = "Access review: IAM users. As of 2026-05-01 12:00 UTC (set with --as-of), account 0123"
    assert f"<title>{title}" in text
    assert "<h1>Access review: IAM users</h1>" in text


# Charts

EXPOSED = tuple(
    a_user(f"a{at}", account="000000000001", password=a_password()) for at in range(3)
) + (
    a_user("b", account="000000000002", password=a_password(), created=days_before(20)),
    a_user("c", account="000000000003", key_1=an_inactive_key()),
)


def charts_of(analysis: Analysis) -> dict[str, list[tuple[str, str, str]]]:
    """Return by caption the label, the length and the number of each bar."""
    charts = {}
    for figure in html.document_fromstring(page_of(analysis)).iter("figure"):
        texts = [each.text for each in figure.iter("text")]
        lengths = [each.get("width") for each in figure.iter("rect")]
        caption = figure.find("figcaption").text
        charts[caption] = list(zip(texts[::2], lengths, texts[1::2], strict=True))
    return charts


def test_bars_show_where_how_exposed_and_how_old_unused_users_are() -> None:
    by_account, by_exposure, by_age = "accounts", "exposure", "age"
    charts = charts_of(analysis_of(EXPOSED))
    shown = dict(zip((by_exposure, by_age, by_account), charts.values(), strict=True))
    assert shown[by_account] == [
        ("000000000001", "310", "3"),
        ("000000000002", "103", "1"),
        ("000000000003", "1", "0"),
    ]
    assert ("password-without-mfa", "310", "4") in shown[by_exposure]
    assert ("inactive-key", "78", "1") in shown[by_exposure]
    assert ("under 30 days", "78", "1") in shown[by_age]
    assert not charts_of(analysis_of([a_user("ann", password=QUIET_PASSWORD, mfa=True)]))


@pytest.mark.parametrize("name", ["</text><script>", "&lt;", "x" * 46, "\x1b[31m\n"])
def test_a_label_is_text_and_is_cut_where_it_would_not_fit(name: str) -> None:
    analysis = analysis_of(EXPOSED)
    names = {account: AccountName(name=name) for account in analysis.report.accounts}
    *_, (label, _, _) = charts_of(
        replace(analysis, report=replace(analysis.report, account_names=names))
    ).popitem()[1]
    whole = printable(f"000000000003 ({name})")
    assert label == (whole if len(whole) <= 46 else f"{whole[:45]}…")


def test_bars_are_of_ten_accounts_at_most() -> None:
    users = [a_user("ann", account=f"{at:012}", password=a_password()) for at in range(11)]
    assert len(charts_of(analysis_of(users)).popitem()[1]) == 10


def test_a_cell_of_the_page_names_its_column_for_a_narrow_screen() -> None:
    page = io.BytesIO()
    write_html(analysis_of([a_user("ann")]), page, [Verdict.UNUSED])
    text = page.getvalue().decode()
    for head in ("User", "Reason", "Severity", "Rule id"):
        assert f'<td data-head="{head}">' in text
    assert text.count("<td>") == 0
