"""Write a small table in HTML, for a notebook; no text in it can be markup."""

from collections.abc import Iterable
from html import escape


def html_table(caption: str, heads: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a table with a caption and a row of heads."""
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    body = "".join(f"<tr>{_cells(row)}</tr>" for row in rows)
    return (
        f"<table><caption>{escape(caption)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _cells(row: Iterable[object]) -> str:
    return "".join(f"<td>{escape(str(each))}</td>" for each in row)
