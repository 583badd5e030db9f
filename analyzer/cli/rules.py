"""Run `credreport rules`: list the rules, or explain some."""

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Annotated, Final

import typer

from analyzer.cli.streams import is_terminal, write_lines
from analyzer.cli.values import matching, refuse_unknown_rules, rule_ids
from analyzer.limits import RULE_LIMITS, Thresholds

if TYPE_CHECKING:
    from analyzer.rules.rule import Rule


EXAMPLES: Final = ("credreport rules", "credreport rules unused-user 'root-*'")


_OPTIONS: Final = {field: f"--limit {name}" for name, field in RULE_LIMITS.items()} | {
    "idle_days": "--idle-days"
}
"""The option that sets each limit, by the field of `Thresholds`."""


def rules(
    ids: Annotated[
        list[str],
        typer.Argument(
            metavar="ID",
            autocompletion=rule_ids,
            help="Explain these rules (ids, patterns or all): why they matter, how they decide,"
            " what to do, and which controls require them. Limits that --limit NAME=DAYS sets:"
            f" {', '.join(RULE_LIMITS)}.",
        ),
    ] = [],
) -> None:
    """List the rules, or explain some."""
    from analyzer.rules import RULES, RULES_BY_ID

    if not ids:
        longest = max(map(len, RULES_BY_ID))
        lines = (f"{rule.id:<{longest}}  {rule.severity:<8}  {_title(rule)}" for rule in RULES)
        write_lines("\n".join(lines))
        return
    chosen = list(RULES_BY_ID) if "all" in ids else matching(ids, RULES_BY_ID)
    refuse_unknown_rules(chosen, RULES_BY_ID, "ID")
    write_lines("\n\n".join("\n".join(_manual_page(RULES_BY_ID[id_])) for id_ in chosen))


def _manual_page(rule: "Rule") -> Iterator[str]:
    from analyzer.standards import references

    yield rule.id
    yield _title(rule)
    yield f"Severity {rule.severity}, applied to each {rule.subject.label}"
    yield from _section("Why", [rule.why])
    yield from _section("How it decides", [rule.condition(Thresholds())])
    yield from _section("Columns of the report", [", ".join(rule.columns)])
    yield from _section("What to do", rule.remedy)
    controls = [f"{name}: {', '.join(numbers)}" for name, numbers in references(rule.id)]
    yield from _section("Standards", controls)
    yield from _section("Read more", rule.references)


def _title(rule: "Rule") -> str:
    """Return the title, the default limit with its option, and whether it is off by default."""
    title = rule.title
    if rule.threshold:
        days = getattr(Thresholds(), rule.threshold)
        title = f"{title}: {days} days ({_OPTIONS[rule.threshold]})"
    return title if rule.default else f"{title} (off by default)"


def _section(head: str, body: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a section; commands and addresses are not broken, for copying."""
    if body:
        yield ""
        yield head
    for text in body:
        # On a terminal `write_lines` breaks lines, to its width.
        is_whole = is_terminal() or text.startswith(("aws ", "https://"))
        for line in [text] if is_whole else wrap(text, 86, break_on_hyphens=False):
            yield f"  {line}"
