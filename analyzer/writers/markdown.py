"""Write the result as a document: headline, listed users, rules, caveats and notes.

The document is Markdown, or one HTML page made of it with charts, which loads no other file, runs
no script, fits a phone and prints. Text of a report, a list or a file is never markup: it is
escaped. Names are in `<code>`, where GitHub notifies no one and links nothing; in other text an
empty comment behind `@` and `#` prevents that.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from html import escape
from itertools import pairwise
from typing import BinaryIO, Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from analyzer.analysis.analysis import Analysis
from analyzer.terms import Verdict, count_text, printable
from analyzer.verdicts.caveats import CAVEATS
from analyzer.writers import charts, findings, headline, user_lists
from analyzer.writers.user_lists import UserRow

MOST_USERS: Final = 1_000  # more are only counted: GitHub shows no more than a megabyte

_SPECIAL: Final = re.compile(
    r"(?P<reference>[&<>@$|]|:(?=//)|(?<=www)\.)|[\\`*_{}\[\]~#]|^(?:[-+=]|\d+[.)])", re.IGNORECASE
)
"""Markup, anywhere or at the beginning; an HTML `reference` never begins a tag or a link."""

_LINKING: Final = re.compile(r"&#64;|\\#(?=\d)")


_HEADING: Final = "Access review: IAM users"


def title(analysis: Analysis) -> str:
    """Return the title of the document in a list of pages, with as-of and accounts."""
    return f"{_HEADING}. {headline.as_of_and_scope(analysis.report)}"


def write_markdown(analysis: Analysis, stream: BinaryIO, verdicts: Collection[Verdict]) -> None:
    """Write the document, which lists the users with one of the verdicts."""
    stream.write("\n\n".join(_parts(analysis, verdicts)).encode() + b"\n")


def _parts(analysis: Analysis, verdicts: Collection[Verdict]) -> Iterator[str]:
    first, *others = map(plain_text, headline.headlines(analysis, verdicts))
    yield f"# {_HEADING}"
    yield f"**{first}**"
    yield from others
    rows = user_lists.user_rows(analysis, verdicts)
    if rows:
        yield "## Users"
        yield _user_table(analysis, rows[:MOST_USERS])
    if len(rows) > MOST_USERS:
        yield f"Not listed here: {count_text(len(rows) - MOST_USERS, 'more user')}."
    if caveats := Counter(caveat for row in rows for caveat, _ in row.caveats):
        yield "## Caveats"
        meanings = ((caveat.id, caveats[caveat.id], caveat.meaning) for caveat in CAVEATS)
        lines = ((_code(id_), f"{n:,}", plain_text(why)) for id_, n, why in meanings if n)
        yield markdown_table(("Caveat", "Users", "Meaning"), lines)
    yield from _rule_parts(analysis)
    yield "## Notes and limitations"
    blind_spots = headline.blind_spots_line(analysis.report.files)
    notes = (*headline.notes(analysis, rules=True), blind_spots)
    yield "\n".join(f"- {plain_text(note)}" for note in notes)


def _user_table(analysis: Analysis, rows: Sequence[UserRow]) -> str:
    """Return the table of the listed users, without columns that say nothing."""
    accounts = len(analysis.report.accounts) > 1
    closing = findings.failing_by_user(analysis.rule_results)
    verdicts = len({row.verdict for row in rows}) > 1
    cells = {
        "Account": [_code(row.account_text) if accounts else "" for row in rows],
        "User": [_code(row.user) for row in rows],
        "Verdict": [row.verdict if verdicts else "" for row in rows],
        "Exposure": [row.exposure for row in rows],
        "Created": [row.day for row in rows],
        "Reason": [plain_text(row.reason_sentence) for row in rows],
        "Check first": ["<br>".join(plain_text(why) for _, why in row.caveats) for row in rows],
        "Findings": [f"{closing[row.key]:,}" if row.key in closing else "" for row in rows],
        "Owner": [plain_text(row.owner_text) for row in rows],
        "Exempt because": [plain_text(row.exemption) for row in rows],
    }
    filled = {head: column for head, column in cells.items() if any(column)}
    return markdown_table(filled, zip(*filled.values(), strict=True))


def _rule_parts(analysis: Analysis) -> Iterator[str]:
    rule_results = analysis.rule_results
    yield "## Findings"
    yield plain_text(findings.findings_text(rule_results))
    rules = findings.findings_by_rule(rule_results)
    if rules:
        lines = (
            (rule.severity, plain_text(rule.title), of_rule.counts_text, _code(rule.id))
            for of_rule in rules
            for rule in [of_rule.rule]
        )
        yield markdown_table(("Severity", "Rule", "Findings", "Rule id"), lines)
    yield plain_text(findings.standard_and_limits_text(rule_results))
    if results := findings.control_results(rule_results):
        yield f"## Controls\n\n{plain_text(rule_results.control_summary)}."
        controls = (
            (result.control.number, result.result, result.counts_text, result.control.title)
            + (result.rules_text, result.why)
            for result in results
        )
        heads = ("Control", "Result", "Findings", "Title", "Rules", "Remark")
        yield markdown_table(heads, (map(plain_text, control) for control in controls))


def markdown_table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table; each cell is one line of Markdown."""
    names = list(heads)
    return "\n".join(f"| {' | '.join(row)} |" for row in (names, ["---"] * len(names), *rows))


def _code(text: str) -> str:
    return f"<code>{_escaped(text)}</code>" if text else ""


def plain_text(text: str) -> str:
    """Return text that no renderer reads as markup, a mention or the number of an issue."""
    return _LINKING.sub(r"\g<0><!-- -->", _escaped(text.strip()))


def _escaped(text: str) -> str:
    r"""Return text without markup; a line break is shown as `\n`, as `terms.printable` does."""
    return _SPECIAL.sub(_escape, printable(text))


def _escape(match: re.Match[str]) -> str:
    is_reference, text = match["reference"], match[0]
    return f"&#{ord(text)};" if is_reference else f"{text[:-1]}\\{text[-1]}"


# The page

_STYLE: Final = """
body { font: 16px/1.5 Arial, sans-serif; color: #1a1a1a; background: #fff; max-width: 80rem;
  margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h1, h2 { color: #1f3864; line-height: 1.2; }
.charts { display: flex; flex-wrap: wrap; gap: 1.5rem; }
figure { flex: 1 1 18rem; max-width: 26rem; margin: 0; }
figcaption { font-weight: bold; margin-bottom: 0.5rem; }
svg { display: block; width: 100%; }
svg text { font: 13px Arial, sans-serif; fill: #1a1a1a; }
rect { fill: #1f3864; }
.table { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.875rem; }
th, td { border: 1px solid #d0d0d0; padding: 0.3rem 0.5rem; text-align: left;
  vertical-align: top; min-width: 6rem; max-width: 30rem; }
th { background: #1f3864; color: #fff; }
tr:nth-child(even) td { background: #f5f7fa; }
code { font: 0.8125rem/1.5 "Courier New", monospace; white-space: pre-wrap; }
@media screen and (max-width: 40rem) {
  thead { display: none; }
  tr { display: flex; flex-direction: column; margin-bottom: 1rem; border: 1px solid #d0d0d0; }
  td { order: 1; border: 0; max-width: none; }
  td:empty { display: none; }
  td::before { content: attr(data-head) ": "; font-weight: bold; }
  td[data-head="Account"], td[data-head="User"], td[data-head="Reason"],
  td[data-head="Check first"] { order: 0; }
}
@media print {
  @page { size: A4 landscape; margin: 12mm; }
  body { font-size: 10pt; padding: 0; max-width: none; }
  .table { overflow: visible; }
  thead { display: table-header-group; }
  tr, figure { break-inside: avoid; }
  h2 { break-after: avoid; }
  th, svg { print-color-adjust: exact; }
}
"""

_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}</body>
</html>
"""


def write_html(analysis: Analysis, stream: BinaryIO, verdicts: Collection[Verdict]) -> None:
    """Write the page, which lists the users with one of the verdicts."""
    text = "\n\n".join(_parts(analysis, verdicts))
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    tokens = parser.parse(text)
    _name_cells(tokens)
    body = parser.renderer.render(tokens, parser.options, {})
    framed = body.replace("<table>", '<div class="table"><table>')
    framed = framed.replace("</table>", "</table></div>")
    framed = framed.replace("<h2>", f"{charts.bar_charts(analysis)}<h2>", 1)
    page = _PAGE.format(title=escape(printable(title(analysis))), style=_STYLE, body=framed)
    stream.write(page.encode())


def _name_cells(tokens: Sequence[Token]) -> None:
    """Give each cell of a table the name of its column, which a narrow screen shows before it."""
    heads: list[str] = []
    at = 0
    for token, content in pairwise(tokens):
        if token.type == "table_open":
            heads = []
        elif token.type == "th_open":
            heads.append(content.content)
        elif token.type == "tr_open":
            at = 0
        elif token.type == "td_open":
            token.attrSet("data-head", heads[at])
            at += 1
