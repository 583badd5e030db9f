"""Wire `credreport rules`: list the rules, or explain one."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Final

import typer

from analyzer.cli.choices import Command, Group, completion, rule_ids
from analyzer.cli.commands import SUMMARIES
from analyzer.terms import Thresholds

if TYPE_CHECKING:
    from analyzer.rules.rule import Rule

app = typer.Typer(
    help=SUMMARIES["rules"],
    cls=Group,
    add_completion=False,
    invoke_without_command=True,
)


@app.callback()
def rules(context: typer.Context) -> None:
    """List the rules: id, severity and title."""
    if context.invoked_subcommand is None:
        from analyzer.cli.stdout import text_for_terminal
        from analyzer.rules import RULES

        typer.echo(text_for_terminal("\n".join(rule_lines(RULES))))


@app.command(cls=Command, no_args_is_help=True)
def explain(
    rule: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            autocompletion=completion(rule_ids),
            help="Id of the rule, as `credreport rules` lists it.",
        ),
    ],
) -> None:
    """Explain a rule: why it matters, how it decides, what to do, and which controls require it."""
    from analyzer.rules import RULES
    from analyzer.standards import references

    known = {each.id: each for each in RULES}
    if rule not in known:
        raise typer.BadParameter(f"'{rule}': choose from {', '.join(known)}", param_hint="ID")
    typer.echo(manual_page(known[rule], references(rule)))


_WIDTH: Final = 88


def rule_lines(rules: "Sequence[Rule]") -> list[str]:
    """Return one line per rule: id, severity, title."""
    longest = max(len(rule.id) for rule in rules)
    return [f"{rule.id:<{longest}}  {rule.severity:<8}  {_title(rule)}" for rule in rules]


def manual_page(rule: "Rule", references: Iterable[tuple[str, Sequence[str]]]) -> str:
    """Return the manual page of a rule.

    `references` are its controls in standards and frameworks: (name, control numbers).
    """
    sections = (
        ("Why", [rule.why]),
        ("How it decides", [rule.how, *_limit_lines(rule)]),
        ("Columns of the report", [", ".join(rule.columns)]),
        ("What to do", rule.remedy),
        ("Standards", [f"{name}: {', '.join(numbers)}" for name, numbers in references]),
        ("Read more", rule.references),
    )
    each = rule.subject.replace("-", " ")
    heads = [rule.id, _title(rule), f"Severity {rule.severity}, applied to each {each}"]
    return "\n".join([*heads, *(line for head, body in sections for line in _section(head, body))])


def _title(rule: "Rule") -> str:
    return rule.title if rule.default else f"{rule.title} (off by default)"


def _limit_lines(rule: "Rule") -> list[str]:
    return [
        f"{each.name}: default {each.default}, set by --{each.name.replace('_', '-')}."
        for each in fields(Thresholds)
        if each.name == rule.threshold
    ]


def _section(head: str, body: Iterable[str]) -> Iterator[str]:
    lines = [line for text in body for line in _wrapped(text)]
    return iter(["", head, *lines] if lines else [])


def _wrapped(text: str) -> list[str]:
    """Break prose into lines; keep commands and addresses whole, to be copied."""
    if text.startswith(("aws ", "https://")):
        return [f"  {text}"]
    return textwrap.wrap(
        text, _WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
    )
