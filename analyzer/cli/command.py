"""Turn functions into commands, whose options a TOML file and the environment can also set.

In a TOML file each key is the name of a long option without its dashes. One file serves all
commands: a key of another command is skipped, an unknown key is refused. The
command line overrides the environment, which overrides the file.
"""

import inspect
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from datetime import date, time
from difflib import get_close_matches
from importlib import import_module
from itertools import chain
from pathlib import Path
from shlex import join
from typing import Annotated, Any, Final, get_type_hints

import typer
from typer.core import TyperArgument, TyperCommand
from typer.main import get_command

from analyzer.cli.options import JudgingOptions
from analyzer.cli.streams import say, text_stream, write_lines
from analyzer.terms import printable, short_list

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

_INPUT_METAVARS: Final = ("FILES", "OUTPUTS", "NEW", "OLD", "SOURCE", "SOURCES", "USER")
_PATH_METAVARS: Final = ("OUTPUTS", "FILE", "FOLDER", "LEDGER.csv", "PATH", "SOURCE", "SOURCES")
"""The names in the help of values that are paths."""

_LARGEST_SETTINGS: Final = 1 << 16
"""The most bytes of a settings file; tomllib takes very long for long keys."""

_MOST_DOTS: Final = 100
"""The most dots in a line of a settings file: for a key of 30,000 parts tomllib takes 3.5 GB."""


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
        # Only `export` takes its options as environment variables too: CREDREPORT_KEEP is --keep.
        context_settings={"auto_envvar_prefix": "CREDREPORT"} if name == "export" else None,
    )(with_options(function))
    command = get_command(app)
    command.callback = function
    return command


class Command(TyperCommand):
    """Refuse unknown environment variables, and say in plain words what is wrong with a value."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments; raises typer.BadParameter."""
        if not args and self.no_args_is_help and not ctx.resilient_parsing:
            write_lines(_short_help(self, ctx))
            say(f"{ctx.command_path}: arguments are missing.")
            raise typer.Exit(typer.BadParameter.exit_code)
        if ctx.auto_envvar_prefix:
            _check_variables(ctx, os.environ)
        if self.name == "explain" and re.match("-[^-fhq]", args[0]):
            message = "no such option; write -- before the name of a user that begins with -"
            raise typer.BadParameter(f"{printable(args[0])}: {message}")
        words = [*args]
        try:
            rest = super().parse_args(ctx, args)
        except typer.BadParameter as error:
            error.message = error.message.removeprefix(_MARK_OF_PYDANTIC)
            if error.message.startswith("'xlsx' is not one of"):
                error.message += " For a workbook: -o FILE.xlsx"
            raise
        if not ctx.resilient_parsing:
            _refuse_addresses(ctx, words)
        ctx.params["settings"] = settings = _changed_settings(ctx) if ctx.default_map else ""
        # A command that takes variables logs its settings by itself.
        is_said = ctx.auto_envvar_prefix or ctx.params.get("quiet")
        if settings and not is_said and ctx.get_parameter_source("config").name == "ENVIRONMENT":
            say(f"Settings of CREDREPORT_CONFIG, {settings}.")
        function: Any = self.callback
        ctx.params = command_arguments(function, {**ctx.params, "context": ctx})
        return rest

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help, with each paragraph in one line, which the terminal then breaks."""
        self.help = re.sub(r"(?<!\n)\n(?!\n)", " ", self.help or "")
        options: list[Any] = self.params if ctx.auto_envvar_prefix else []
        for option in options:
            option.show_envvar = False  # The help explains their names once.
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


def _refuse_addresses(context: Any, words: Sequence[str]) -> None:
    """Refuse inputs in a bucket, with the line to type instead; raises typer.BadParameter."""
    inputs = [param.name for param in context.command.params if param.metavar in _INPUT_METAVARS]
    values = [context.params[name] for name in inputs]
    every = chain.from_iterable([value] if isinstance(value, str) else value for value in values)
    files = {
        address: f"./{address.rstrip('/').rpartition('/')[2]}"
        for address in every
        if address.startswith("s3://")
    }
    if files:
        copies = [
            f"aws s3 cp {'' if Path(file).suffix else '--recursive '}{join([address, file])}"
            for address, file in files.items()
        ]
        command = join([*context.command_path.split(), *(files.get(word, word) for word in words)])
        message = f"{short_list([*files])}: in a bucket. Type: {' && '.join([*copies, command])}"
        raise typer.BadParameter(message)


def _short_help(command: Any, context: Any) -> str:
    examples = [f"  {example}" for example in command.epilog.split("\n\n")]
    more = f"{context.command_path} --help lists all options."
    return "\n".join([SUMMARIES[command.name], "", command.get_usage(context), *examples, more])


def _check_variables(context: Any, variables: Iterable[str]) -> None:
    """Refuse unknown variables; their values may be secret. Raises typer.BadParameter."""
    prefix = f"{context.auto_envvar_prefix}_"
    params = context.command.params
    known = {*(f"{prefix}{parameter.name.upper()}" for parameter in params)}
    known |= {parameter.envvar for parameter in params if parameter.envvar}
    for name in sorted(variables):
        if name.startswith(prefix) and name not in known:
            (nearest,) = get_close_matches(name, sorted(known), n=1, cutoff=0)
            raise typer.BadParameter(
                f"environment variable {printable(name)} is unknown: did you mean {nearest}?"
            )


# Options in dataclasses


def with_options(function: Callable[..., None]) -> Callable[..., None]:
    """Return a function that has an option for each field of its dataclass parameters.

    typer reads only the signature; `command_arguments` fills the dataclasses. A field that
    `options.option` did not return is no option. With options comes --config.
    """
    hints = get_type_hints(function, include_extras=True)
    signature = inspect.signature(function)
    parameters: list[inspect.Parameter] = []
    for name, own in signature.parameters.items():
        if name == "config":
            continue
        if not is_dataclass(hint := hints[name]):
            parameters.append(own.replace(annotation=hint))
            continue
        of_fields = get_type_hints(hint)
        parameters += (
            own.replace(name=each.name, default=option, annotation=of_fields[each.name])
            for each in fields(hint)
            if (option := each.metadata.get("option"))
        )
    if parameters[-1].kind is inspect.Parameter.KEYWORD_ONLY:
        parameters.append(parameters[-1].replace(name="config", default=None, annotation=Config))

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


# Options in a file


def _apply_settings_file(context: typer.Context, path: Path | None) -> Path | None:
    """Use the values of the settings file for options that nothing else sets.

    Raises typer.BadParameter with every problem of the file.
    """
    if path is not None:
        options = _options(context.command)
        known = _options(*map(command_named, SUMMARIES)) | options
        settings = {
            key: _as_command_line_text(value, path, known.get(key))
            for key, value in _toml(path).items()
        }
        problems = [
            printable(f"{path}: {key}: {problem}")
            for key, value in settings.items()
            for problem in _problems(context, known, key, value)
        ]
        if problems:
            raise typer.BadParameter("\n".join(problems))
        context.default_map = {
            options[key].name: _as_list(options[key], value)
            for key, value in settings.items()
            if key in options
        }
    return path


Config = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        metavar="FILE",
        envvar="CREDREPORT_CONFIG",
        is_eager=True,
        callback=_apply_settings_file,
        rich_help_panel="Input",
        help="Take options from this TOML file.",
    ),
]


def _changed_settings(context: Any) -> str:
    """Return the settings file with the options on verdicts and rules that it sets, if any."""
    names = {field.name for field in fields(JudgingOptions)} - {"accounts"}
    changed = [
        f"{name.replace('_', '-')} = {value}"
        for name, value in context.default_map.items()
        if name in names and context.get_parameter_source(name).name == "DEFAULT_MAP"
    ]
    return printable(f"{context.params['config']}: {', '.join(changed)}") if changed else ""


def _toml(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        with path.open("rb") as stream:
            content = stream.read(_LARGEST_SETTINGS + 1)
        if len(content) > _LARGEST_SETTINGS:
            raise typer.BadParameter(f"{path} holds more than {_LARGEST_SETTINGS >> 10} KiB")
        if max(line.count(b".") for line in content.split(b"\n")) > _MOST_DOTS:
            message = f"{path}: a line has more than {_MOST_DOTS} dots: divide it into several"
            raise typer.BadParameter(message)
        return tomllib.loads(content.decode("utf-8-sig").replace("\r\n", "\n"))
    except (OSError, ValueError, RecursionError) as error:
        raise typer.BadParameter(f"{path} cannot be read: {error}") from None


def _as_command_line_text(value: Any, path: Path, option: Any) -> Any:
    """Return a value as text, as on the command line; flags stay as they are.

    A path is relative to the settings file.
    """
    if isinstance(value, list):
        return [_as_command_line_text(item, path, option) for item in value]
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bool | dict):
        return value
    is_large = isinstance(value, int) and abs(value) >= 10**18
    text = "a number of more than 18 digits" if is_large else str(value)
    is_path = option is not None and option.metavar in _PATH_METAVARS and text not in ("", "-")
    return str(path.parent / text) if is_path else text


def _options(*commands: Any) -> dict[str, Any]:
    return {
        name.removeprefix("--"): option
        for command in commands
        for option in command.params
        for name in option.opts
        if name.startswith("--") and not option.is_eager
    }


def _problems(
    context: typer.Context, known: Mapping[str, Any], key: str, value: Any
) -> Iterator[str]:
    if key not in known:
        near = get_close_matches(key.replace("_", "-"), [*known], 1)
        hint = f": did you mean {near[0]}?" if near else ""
        yield f"no command has an option of this name{hint}"
        return
    option = known[key]
    words = value if isinstance(value, list) and option.multiple else [value]
    if "\0" in "".join(map(str, words)):
        yield f"invalid value {value}: it holds the sign NUL"
    elif not all(isinstance(word, bool if option.is_flag else str) for word in words):
        hint = ": use true or false, without quotes" if option.is_flag else ""
        yield f"invalid value {value}{hint}"
    else:
        try:
            option.process_value(context, _as_list(option, value))
        except typer.BadParameter as error:
            yield error.message.removeprefix(_MARK_OF_PYDANTIC)


def _as_list(option: Any, value: Any) -> Any:
    return [value] if option.multiple and not isinstance(value, list) else value
