"""Wire `credreport rules`: list the rules, or explain one."""

from typing import Annotated

import typer

app = typer.Typer(
    help="List the rules that find more than unused users, or explain one.",
    invoke_without_command=True,
)


@app.callback()
def rules(context: typer.Context) -> None:
    """List the rules: id, severity and what each finds."""
    if context.invoked_subcommand is None:
        from analyzer.rules import RULES
        from analyzer.rules.manual import listed

        for line in listed(RULES):
            typer.echo(line)


@app.command(no_args_is_help=True)
def explain(
    rule: Annotated[str, typer.Argument(metavar="ID", help="The rule's id, as rules lists it.")],
) -> None:
    """Explain a rule: why, how it is decided, what to do, and which controls ask for it."""
    from analyzer.rules import RULES
    from analyzer.rules.manual import explained
    from analyzer.standards import references

    known = {each.id: each for each in RULES}
    if rule not in known:
        raise typer.BadParameter(f"{rule}: choose from {', '.join(known)}", param_hint="ID")
    typer.echo(explained(known[rule], references(rule)))
