"""Turn functions whose parameters are dataclasses of options into commands."""

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import Any, Final, get_type_hints

import typer
from typer._click.exceptions import MissingParameter, NoSuchOption
from typer.core import TyperArgument, TyperCommand
from typer.main import get_command

from analyzer.cli.streams import say, text_stream, write_lines
from analyzer.terms import printable

SUMMARIES: Final = {
    "analyze": "Find unused IAM users: no sign-in on record, and no active access key.",
    "explain": "Explain the verdict on one user: cells, caveats, rules and exemptions.",
    "diff": "Show what changed between two reports: users, verdicts, credentials and findings.",
    "history": "Show what a period holds, from all reports of each account: users, events, gaps.",
    "collect": "Check the decisions in filled-in workbooks, and add what is new to a ledger.",
    "plan": "Write a shell script that deactivates or deletes the users that reviewers decided on.",
    "fetch": "Fetch the credential report from AWS: two calls per account, none per user.",
    "export": "Fetch reports, analyze them and keep all outputs as one run, for cron.",
    "verify": "Make the outputs of a run, a workbook or a ledger anew, and compare them.",
    "rules": "List the rules, or explain some.",
}
"""The first line of each command's help, in order. Importing all commands would take 25 ms."""

_MARK_OF_PYDANTIC: Final = "Value error, "
"""The beginning of typer's message on a refused value."""

_CLOSE: Final = 0.75
"""The similarity from which another option is offered: --ownrs is close to --owners."""


def command_named(name: str) -> Any:
    """Return the command whose module and function have this name."""
    module = import_module(f"analyzer.cli.{name}")
    function = getattr(module, name)
    needs_arguments = any(
        parameter.default is inspect.Parameter.empty
        and parameter.kind is not inspect.Parameter.KEYWORD_ONLY
        for parameter in inspect.signature(function).parameters.values()
    )
    app = typer.Typer(add_completion=False)
    app.command(
        name,
        cls=Command,
        no_args_is_help=needs_arguments,
        epilog="\n\n".join(module.EXAMPLES),
    )(with_options(function))
    command = get_command(app)
    command.callback = function
    return command


class Command(TyperCommand):
    """Say in plain words what is wrong with a value."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments; raises typer.BadParameter."""
        if not args and self.no_args_is_help and not ctx.resilient_parsing:
            write_lines(_short_help(self, ctx))
            say(f"{ctx.command_path}: arguments are missing.")
            raise typer.Exit(typer.BadParameter.exit_code)
        if self.name == "explain" and re.match("-[^-fhq]", args[0]):
            message = "no such option; write -- before the name of a user that begins with -"
            raise typer.BadParameter(f"{printable(args[0])}: {message}")
        self._refuse_repeated(ctx, args)
        try:
            rest = super().parse_args(ctx, args)
        except NoSuchOption as error:
            known = error.possibilities or ()
            error.possibilities = get_close_matches(error.option_name, known, cutoff=_CLOSE)
            raise
        except MissingParameter as error:
            error.message = getattr(error.param, "help", "")
            raise
        except typer.BadParameter as error:
            error.message = error.message.removeprefix(_MARK_OF_PYDANTIC)
            raise
        function: Any = self.callback
        ctx.params = command_arguments(function, {**ctx.params, "context": ctx})
        return rest

    def _refuse_repeated(self, ctx: Any, args: list[str]) -> None:
        """Refuse an option of one value that is given twice: the first would have no effect.

        Raises typer.BadParameter.
        """
        ends = args.index("--") if "--" in args else len(args)
        words = [word.partition("=")[0] if word.startswith("--") else word for word in args[:ends]]
        params: list[Any] = self.get_params(ctx)
        for parameter in params:
            is_option = not isinstance(parameter, TyperArgument)
            takes_one = is_option and not (parameter.multiple or parameter.is_flag)
            if takes_one and sum(words.count(name) for name in parameter.opts) > 1:
                raise typer.BadParameter(
                    "it is given twice, and takes one value: give it once", ctx, parameter
                )

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help, with each paragraph in one line, which the terminal then breaks."""
        self.help = re.sub(r"(?<!\n)\n(?!\n)", " ", self.help or "")
        with help_stream(self.get_params(ctx)):
            super().format_help(ctx, formatter)


@contextmanager
def help_stream(params: Iterable[Any]) -> Iterator[None]:
    """Have the help hide types: a flag has no value, and an argument shows a better name.

    Raises OutputFailed if standard output cannot be written, typer.Exit if its reader is gone.
    """
    for parameter in params:
        if isinstance(parameter, TyperArgument) or parameter.is_flag:
            parameter.display_type_rich = lambda ctx: None  # noqa: ARG005  typer passes its context
    with text_stream():
        yield


def _short_help(command: Any, context: Any) -> str:
    examples = [f"  {example}" for example in command.epilog.split("\n\n")]
    more = f"{context.command_path} --help lists all options."
    return "\n".join([SUMMARIES[command.name], "", command.get_usage(context), *examples, more])


def with_options(function: Callable[..., None]) -> Callable[..., None]:
    """Return a function that has an option for each field of its dataclass parameters.

    typer reads only the signature; `command_arguments` fills the dataclasses. A field that
    `options.option` did not return is no option.
    """
    hints = get_type_hints(function, include_extras=True)
    signature = inspect.signature(function)
    parameters: list[inspect.Parameter] = []
    for name, own in signature.parameters.items():
        if not is_dataclass(hint := hints[name]):
            parameters.append(own.replace(annotation=hint))
            continue
        of_fields = get_type_hints(hint)
        parameters += (
            own.replace(name=each.name, default=option, annotation=of_fields[each.name])
            for each in fields(hint)
            if (option := each.metadata.get("option"))
        )

    def declared() -> None: ...

    declared.__doc__ = function.__doc__
    declared.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]  # what inspect looks for
    return declared


def command_arguments(function: Callable[..., None], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a function by name, with its dataclasses filled."""
    lists = {name: list(value) if type(value) is tuple else value for name, value in values.items()}
    arguments = {}
    for name, hint in get_type_hints(function).items():
        if is_dataclass(hint):
            known = {field.name: lists[field.name] for field in fields(hint) if field.name in lists}
            arguments[name] = hint(**known)  # type: ignore[operator]  # it is a class
        elif name in lists:
            arguments[name] = lists[name]
    return arguments
