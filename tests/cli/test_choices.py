"""The shell completes the values of options, and a wrong word is answered with the right ones."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from analyzer.cli.command import command_arguments
from analyzer.cli.fetch import fetch
from analyzer.rules import RULES
from analyzer.terms import Benchmark, Verdict
from tests.support.builders import run
from tests.support.outputs import CONSOLE, SAMPLES

COMPLETED = (
    ("analyze --verdict ", [*Verdict, "all"]),
    ("analyze --standard ", list(Benchmark)),
    ("analyze --fail-on unus", ["unused", "unused-user"]),
    ("export --fail-on cri", ["critical"]),
    ("export --also ", ["ocsf", "parquet"]),
    ("analyze --rules root-u", ["root-used"]),
    ("rules ", [rule.id for rule in RULES]),
)


def test_bash_completes_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_CREDREPORT_COMPLETE", "complete_bash")
    for words, offered in COMPLETED:
        monkeypatch.setenv("COMP_WORDS", f"credreport {words}")
        monkeypatch.setenv("COMP_CWORD", str(words.count(" ") + 1))
        assert run().lines == offered, words


MFA = "console-user-without-mfa"
ONLY = ["--rules", "unused-user"]
OFF, DEFAULT, ADDED = "root-password", "--rules default", "--rules root-password"
LIMITS = "the limits are rotation, root-used, expiry"

WRONG: tuple[tuple[list[str], str, str], ...] = (
    (["--colour"], "--colour", "No such option"),
    (["--standard", "cis3.0"], "--standard", "'cis3.0' is not one of 'cis-7.0', 'cis-6.0',"),
    (["--format", "xml"], "--format", "'xml' is not one of 'table', 'csv', 'json', 'markdown',"),
    (["--as-of", "2026-02-30"], "--as-of", 'invalid time "2026-02-30": use'),
    (["--definition", "mine"], "--definition", "'mine' is not one of 'no-active-key', 'iam-029'"),
    (["--verdict", "unsed"], "--verdict", "'unsed': choose from undetermined, unused, retired"),
    (["--idle-days", "0"], "--idle-days", "'0': use a whole number of days, 1 or more"),
    (["--grace-days", "-1"], "--grace-days", "'-1': use a whole number of days, 0 or more"),
    (["--as-of", "2026-03-01T09:30"], "--as-of", "has no time zone: use 2026-03-01T09:30:00Z"),
    (["--as-of", "03/04/2021 10:00Z"], "--as-of", 'invalid time "03/04/2021 10:00Z":'),
    (["--as-of", "0001-01-01T00:00:00+23:00"], "--as-of", "invalid time"),
    (["-o", "report.txt"], "-o", "report.txt must end in .xlsx, .csv, .json"),
    (["-o", "json"], "--output", "or --format json for standard output"),
    (["-o", "a.csv", "-o", "./a.csv"], "--output", "is named twice"),
    (["-o", str(CONSOLE)], "--output", "is an input: write to another file"),
    (["--exemptions", "nowhere.csv"], "--exemptions", "nowhere.csv cannot be read"),
    (["--exemptions", "."], "--exemptions", ". is a folder: name a file in it"),
    (["--exemptions", "/dev/zero"], "--exemptions", "/dev/zero is a pipe or a device"),
    (["--account", "12345678901"], "--account", "have 123456789012); an account has 12 digits"),
    (["--account", "12"], "--account", "12: no such account in the reports (they have 123456"),
    (["--user", "?" * 100_000], "--user", "the pattern has more than 2,048 signs"),
    (["--user", ""], "--user", "the pattern is empty"),
    (["--user", "ann", "--user", "b*"], "--user", "ann: matches no user in the reports"),
    (["--user", "!zz-*"], "--user", "!zz-* excludes nobody: zz-* matches no user; use * and ?"),
    (["--user", "!"], "--user", "the pattern is empty"),
    (["-f", "names"] + ONLY, "--rules", "names shows no findings: use -f findings"),
    (["-f", "arns"] + ONLY, "--rules", "arns shows no findings: use -f findings"),
    (["--rules", "nobody"], "--rules", "'nobody': choose from unused-user,"),
    (["--rules", "root-usd"], "--rules", "did you mean root-used? Choose from"),
    (["--rules", "x-*"], "--rules", "'x-*': choose from unused-user,"),
    (["--limit", "rotaton=365"], "--limit", f"1 day or more; {LIMITS}"),
    (["--limit", "rotation"], "--limit", "'rotation': write NAME=DAYS, such as rotation=365, with"),
    (["--limit", "rotation=0"], "--limit", "'rotation=0': write NAME=DAYS"),
    (["--limit", "rotation=1.5"], "--limit", f"1 day or more; {LIMITS}"),
    (["--limit", "expiry=1", "--limit", "expiry=2"], "--limit", "expiry is set twice: set it once"),
    (["--limit", "idle=30"], "--limit", f"1 day or more; {LIMITS}"),
    (["--fail-on", "idle"], "--fail-on", "'idle': choose from the verdicts undetermined, unused,"),
    (["--fail-on", "idle"], "--fail-on", "the severities critical, high, medium, low"),
    (["--fail-on", "root-usd"], "--fail-on", "did you mean root-used? Choose from"),
    (["--fail-on", OFF], "--fail-on", f"{OFF}: a rule that does not run; add {DEFAULT} {ADDED}"),
    (["--fail-on", OFF] + ONLY, "--fail-on", f"{OFF}: a rule that does not run; add {ADDED}"),
    (["--fail-on", "idle"] + ONLY, "--fail-on", "or the rules that run: unused-user"),
    (["--fail-on", "control"], "--fail-on", "control: choose the controls with --standard"),
    (["--fail-on", "high"] + ONLY, "high", "no rule of this severity runs (unused-user)"),
)


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: " ".join(wrong[0])[:40])
def test_wrong_words_are_answered_with_the_right_ones_before_anything_is_written(
    tmp_path: Path, wrong: tuple[list[str], str, str]
) -> None:
    options, option, says = wrong
    done = run("analyze", CONSOLE, "-o", "good.csv", *options, folder=tmp_path)
    assert (done.code, done.output, list(tmp_path.iterdir())) == (2, b"", [])
    assert option in done.messages
    assert says in done.message_line


NOBODY = "no IAM user in the newest report of each account has this name"
EARLIER, MANY = SAMPLES / "earlier", SAMPLES / "organization"
SECONDS = "use a whole number of seconds, 1 or more"
OF_OTHERS = (
    ("export --out-dir runs --timeout 0", f"Invalid value for '--timeout': '0': {SECONDS}"),
    ("export --out-dir runs --keep 0", "'--keep': '0': use a whole number, 1 or more"),
    ("export --out-dir runs --log-format xml", "-format': 'xml' is not one of 'text', 'json'"),
    ("export --out-dir runs --also ocsf,csv", "'--also': 'csv': choose from ocsf, parquet"),
    ("history a --fail-on gap,late", "'--fail-on': 'late': choose from gap, overdue"),
    (
        "diff a b --format xml",
        "'--format': 'xml' is not one of 'table', 'line', 'names', 'arns', 'csv', 'json'",
    ),
    ("diff a b --change gon", "'gon': choose from new, gone, re-created,"),
    ("diff a b --change dormant", "dormant: a verdict; use --verdict"),
    ("diff a b --fail-on overdue", "overdue: no change; use `credreport analyze --fail-on`"),
    (f"diff {CONSOLE} b --fail-on older", "'older': choose from the verdicts undetermined, unused"),
    (f"diff {CONSOLE} b --fail-on older", "; the kinds of change new, gone, re-created,"),
    ("diff a b -o changes.xlsx", "must end in .csv or .json"),
    (f"diff a {CONSOLE} -o {CONSOLE}", "is an input"),
    ("diff a b --new-as-of yesterday", "yesterday"),
    ("diff - -", "only one of OLD and NEW can be -"),
    (f"diff {EARLIER} {CONSOLE} --user eve", "eve: matches no user in the reports"),
    (f"diff {EARLIER} {CONSOLE} --account x", "x: no such account in the reports (they have 1234"),
    (f"diff {MANY} {MANY} --account 12345678901", "12 digits; did you mean 012345678901?"),
    (f"explain lena {CONSOLE}", f"'lena': {NOBODY} or ARN; use a pattern such as 'lena*' to match"),
    (f"explain break-glas-1 {CONSOLE}", f"1': {NOBODY} or ARN "),
    (f"explain -legacy {CONSOLE}", "-legacy: no such option; write -- before the name of a user"),
    (f"explain lena bo {CONSOLE}", "'bo': no such file or folder; name the user, then the reports"),
    ("explain lena", "for SOURCES: '': no such file or folder; name the user, then the reports; s"),
    ("-X", "credreport: No such option: -X Try 'credreport --help'. "),
    ("diff a b --chang gone", "option: --chang (Possible options: --change) Try 'credre"),
    (f"explain {CONSOLE} lena", "'lena': no such file or folder; name the user, then the"),
    (f"explain root {CONSOLE}", "; the root user is '<root_account>'"),
    ("explain ann nowhere.csv --rules nothing", "'nothing': choose from"),
    ("rules root-usd", "did you mean root-used? Choose from"),
    ("rules mfa", "-mfa, user-without-mfa, root-without-mfa? Choose from"),
    ("analyse", "No such command 'analyse'. Did you mean 'analyze'?"),
)


def test_a_wrong_word_of_another_command_is_answered_too(tmp_path: Path) -> None:
    (tmp_path / "report.csv").touch()
    for words, says in OF_OTHERS:
        done = run(*words.split(), folder=tmp_path)
        assert (done.code, done.output) == (2, b""), words
        assert says in f"{done.message_line} ".replace("'-f' / ", ""), words


ESCAPE = "\x1b[31mx"
OPTIONS = (
    ("--verdict", "--format", "--fail-on", "--rules", "--limit", "--standard", "--user")
    + ("--account", "-o", "--exemptions", "--idle-days", "--as-of")
    + ("--max-input",)
)
COMMANDS: tuple[Sequence[object], ...] = (
    ([ESCAPE], [f"--{ESCAPE}"], ["explain", ESCAPE, CONSOLE], ["rules", ESCAPE])
    + (["diff", CONSOLE, CONSOLE, "--change", ESCAPE],)
    + tuple(["analyze", CONSOLE, option, ESCAPE] for option in OPTIONS)
)


@pytest.mark.no_cover
def test_no_wrong_usage_commands_a_terminal() -> None:
    for words in COMMANDS:
        done = run(*words)
        assert (done.code, "\x1b" in done.messages) == (2, False), words
        assert r"\x1b[31mx" in done.messages, words


def test_what_was_given_several_times_reaches_a_command_as_a_list() -> None:
    assert command_arguments(fetch, {"profile": ("one", "two")})["aws"].profile == ["one", "two"]


@pytest.mark.parametrize(
    "given",
    [
        ("--standard", "cis-7.0", "--standard", "fsbp"),
        ("--idle-days", "30", "--idle-days=45"),
        ("-f", "json", "--format", "csv"),
        ("--format=csv", "-f", "csv"),
    ],
)
def test_an_option_of_one_value_that_is_given_twice_is_refused(given: tuple[str, ...]) -> None:
    done = run("analyze", CONSOLE, *given)
    assert (done.code, done.output) == (2, b"")
    assert "it is given twice, and takes one value: give it once" in done.message_line


def test_options_of_several_values_flags_and_words_behind_two_hyphens_are_no_repetition() -> None:
    twice = ("--exempt", "a*=x", "--exempt", "b*=y", "--certain", "--certain")
    assert run("analyze", CONSOLE, *twice, "-q", "--format=line").code == 0
    assert "given twice" not in run("analyze", "--format=line", "--", "-f", "-f").message_line


def rules_of(*words: str) -> set[str]:
    given = [word for rule in words for word in ("--rules", rule)]
    done = run("analyze", CONSOLE, "--format=json", *given)
    assert done.code == 0, done.messages
    return {rule["id"] for rule in done.document["rules"]}


def test_a_pattern_of_rules_means_those_that_are_on_and_a_name_switches_on() -> None:
    on = {"root-access-key", "root-without-mfa", "root-used", "root-certificate"}
    assert rules_of("root-*") == on
    assert rules_of("root-*", "root-password") == on | {"root-password"}
    assert rules_of("*") == rules_of("default")
    assert rules_of("all") > rules_of("*")
    done = run("analyze", CONSOLE, "--rules", "root-pass*")
    says = "'root-pass*' matches only rules that are off: name root-password"
    assert (done.code, says in done.message_line) == (2, True)


def test_a_pattern_of_rules_means_those_of_the_standard_that_is_named() -> None:
    done = run("analyze", CONSOLE, "--standard", "cis-7.0", "--rules", "root-*", "--format=json")
    ran = {rule["id"] for rule in done.document["rules"]}
    assert ran == {"root-access-key", "root-without-mfa", "root-used"} & ran
    assert ran


def test_up_to_three_names_near_a_user_that_is_not_there_are_offered() -> None:
    done = run("analyze", CONSOLE, "--user", "Lena.Hartwik")
    says = "Lena.Hartwik: matches no user in the reports; did you mean lena.hartwig?"
    assert (done.code, says in done.message_line) == (2, True)
    done = run("analyze", CONSOLE, "--user", "zzzz")
    assert (done.code, "did you mean" in done.message_line) == (2, False)


def test_words_of_the_program_are_separated_by_commas_and_names_are_not() -> None:
    for command, option, texts, form in (
        (["analyze", CONSOLE], "--verdict", "unused, dormant", "-f=csv"),
        (["analyze", CONSOLE], "--fail-on", "retired,root-used", "-q"),
        (["analyze", CONSOLE], "--rules", "root-*,unused-user", "-f=findings"),
        (["diff", EARLIER, CONSOLE], "--change", "new,gone", "-f=csv"),
        (["diff", EARLIER, CONSOLE], "--fail-on", "high,gone", "-q"),
        (["history", EARLIER, CONSOLE], "--fail-on", "gap,gap", "-q"),
    ):
        apart = [word for text in texts.split(",") for word in (option, text.strip())]
        words = [form[:2], *filter(None, [form[3:]])]
        assert run(*command, option, texts, *words) == run(*command, *apart, *words)
    for option in ("--user", "--account"):
        done = run("analyze", CONSOLE, option, "lena.hartwig,123456789012")
        assert (done.code, "lena.hartwig,123456789012: " in done.messages) == (2, True)
