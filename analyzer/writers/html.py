"""Write the Markdown document as one HTML page: nothing else is loaded, and nothing runs.

It fits a telephone and prints: tables scroll where they are too wide, heads are repeated on each
page. `markdown` lets no text become markup; the policy of the page forbids scripts all the same.
"""

from collections.abc import Collection
from html import escape
from io import BytesIO
from typing import BinaryIO, Final

from markdown_it import MarkdownIt

from analyzer.judging.analysis import Analysis
from analyzer.terms import Verdict, printable
from analyzer.writers.markdown import title, write_markdown

_STYLE: Final = """
body { font: 16px/1.5 Arial, sans-serif; color: #1a1a1a; background: #fff; max-width: 80rem;
  margin: 0 auto; padding: 1rem; }
h1, h2 { color: #1f3864; line-height: 1.2; }
.table { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.875rem; }
th, td { border: 1px solid #d0d0d0; padding: 0.3rem 0.5rem; text-align: left;
  vertical-align: top; min-width: 5.5rem; max-width: 30rem; overflow-wrap: anywhere; }
th { background: #1f3864; color: #fff; }
tr:nth-child(even) td { background: #f5f7fa; }
code { font: 0.8125rem/1.5 "Courier New", monospace; white-space: pre-wrap; }
@media print {
  @page { size: A4 landscape; margin: 12mm; }
  body { font-size: 10pt; padding: 0; max-width: none; }
  .table { overflow: visible; }
  thead { display: table-header-group; }
  tr { break-inside: avoid; }
  h2 { break-after: avoid; }
  th { print-color-adjust: exact; }
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
    text = BytesIO()
    write_markdown(analysis, text, verdicts)
    body = MarkdownIt("commonmark", {"html": True}).enable("table").render(text.getvalue().decode())
    framed = body.replace("<table>", '<div class="table"><table>').replace(
        "</table>", "</table></div>"
    )
    page = _PAGE.format(title=escape(printable(title(analysis))), style=_STYLE, body=framed)
    stream.write(page.encode())
