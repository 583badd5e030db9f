"""Run `credreport rules`: list the rules, or explain some."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from textwrap import wrap
from typing import TYPE_CHECKING, Annotated, Final

import typer

from analyzer.cli.streams import is_terminal, write_lines
from analyzer.cli.values import matching, refuse_unknown, rule_ids
from analyzer.limits import Thresholds

if TYPE_CHECKING:
    from analyzer.rules.rule import Rule


EXAMPLES: Final = ("credreport rules", "credreport rules unused-user 'root-*'")


_LIMITS: Final = ", ".join(
    f"--{name.replace('_', '-')} {days}" for name, days in asdict(Thresholds()).items()
)


def rules(
    ids: Annotated[
        list[str],
        typer.Argument(
            metavar="ID",
            autocompletion=rule_ids,
            help="Explain these rules (ids, patterns or all): why they matter, how they decide,"
            " what to do, and which controls require them. Options of the other commands set the"
            f" limits, by default {_LIMITS}.",
        ),
    ] = [],
) -> None:
    """List the rules, or explain some."""
    from analyzer.rules import RULES
    from analyzer.standards import references

    known = {rule.id: rule for rule in RULES}
    chosen = [*known] if "all" in ids else matching(ids, known)
    refuse_unknown(chosen, known, "ID")
    pages = (manual_page(known[name], references(name)) for name in chosen)
    write_lines("\n\n".join(pages) if ids else "\n".join(rule_lines(RULES)))


def rule_lines(rules: "Sequence[Rule]") -> list[str]:
    """Return one line per rule: id, severity, title, limit with its option."""
    longest = max(len(rule.id) for rule in rules)
    return [f"{rule.id:<{longest}}  {rule.severity:<8}  {_title_line(rule)}" for rule in rules]


def manual_page(rule: "Rule", references: Iterable[tuple[str, Sequence[str]]]) -> str:
    """Return the manual page of a rule.

    `references` are its controls in standards and frameworks: (name, control numbers).
    """
    sections = (
        ("Why", [rule.why]),
        ("How it decides", [rule.how]),
        ("Columns of the report", [", ".join(rule.columns)]),
        ("What to do", rule.remedy),
        ("Standards", [f"{name}: {', '.join(numbers)}" for name, numbers in references]),
        ("Read more", rule.references),
    )
    subject = rule.subject.replace("-", " ")
    heads = [rule.id, _title_line(rule), f"Severity {rule.severity}, applied to each {subject}"]
    return "\n".join([*heads, *(line for head, body in sections for line in _section(head, body))])


def _title_line(rule: "Rule") -> str:
    """Return the title, the default limit with its option, and whether it is off by default."""
    name = rule.threshold or ""
    limit = f": {getattr(Thresholds(), name)} days (--{name.replace('_', '-')})" if name else ""
    return f"{rule.title}{limit}{'' if rule.default else ' (off by default)'}"


def _section(head: str, body: Iterable[str]) -> Iterator[str]:
    """Return the lines of a section; commands and addresses are not broken, for copying."""
    lines: list[str] = []
    for text in body:
        # On a terminal `write_lines` breaks lines, to its width.
        is_whole = is_terminal() or text.startswith(("aws ", "https://"))
        parts = [text] if is_whole else wrap(text, 86, break_on_hyphens=False)
        lines += [f"  {part}" for part in parts]
    return iter(["", head, *lines] if lines else [])
