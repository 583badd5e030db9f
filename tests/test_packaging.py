"""What is installed, and from where, is what pyproject.toml and the guides say."""

import os
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from shutil import copy
from typing import Any

import pytest
from packaging.requirements import Requirement

from analyzer.terms import version_text
from tests.support.builders import ROOT_FOLDER

WORKFLOWS = ROOT_FOLDER / ".github" / "workflows"
CONSTRAINTS = (ROOT_FOLDER / "samples" / "deploy" / "constraints.txt").read_text(encoding="utf-8")
DOCKERFILE = (ROOT_FOLDER / "samples" / "deploy" / "Dockerfile").read_text(encoding="utf-8")
DEPLOY_GUIDE = (ROOT_FOLDER / "samples" / "deploy" / "README.md").read_text(encoding="utf-8")
UV = "0.13.9"
GUIDE = (ROOT_FOLDER / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")


@cache
def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT_FOLDER / "pyproject.toml").read_text(encoding="utf-8"))


def libraries() -> list[Requirement]:
    return list(map(Requirement, pyproject()["project"]["dependencies"]))


def test_each_library_and_what_builds_the_wheel_is_pinned_within_its_bounds() -> None:
    pinned = dict(re.findall(r"^(\S+)==(\S+) ", CONSTRAINTS, re.MULTILINE))
    needed = [*libraries(), *map(Requirement, pyproject()["build-system"]["requires"])]
    for library in needed:
        assert library.specifier.contains(pinned[library.name]), library


@pytest.mark.parametrize("file", ["samples/deploy/constraints.txt", ".github/release-tools.txt"])
def test_each_pinned_version_has_hashes_and_no_address_is_named(file: str) -> None:
    text = (ROOT_FOLDER / file).read_text(encoding="utf-8")
    versions = re.split(r"^(?=\S)", text, flags=re.MULTILINE)[1:]
    assert [each for each in versions if not re.search(r"--hash=sha256:[0-9a-f]{64}", each)] == []
    assert {line.split("=")[0].strip() for line in text.splitlines() if "==" not in line} == {
        "--hash"
    }


def test_container_workflow_and_guide_install_the_pinned_versions_alone() -> None:
    workflow = (WORKFLOWS / "credential-review.yml").read_text(encoding="utf-8")
    for text in (DOCKERFILE, workflow, DEPLOY_GUIDE):
        pinned, program = re.findall(r"pip install (.*)", text)
        assert "--require-hashes -r " in pinned
        assert "--no-deps --no-build-isolation " in program


def test_ci_installs_one_version_of_what_installs_the_rest() -> None:
    texts = (ROOT_FOLDER / ".ci" / "run", WORKFLOWS / "ci.yml")
    installed = [re.findall(r"pip install -q (uv\S*)", path.read_text()) for path in texts]
    assert installed == [[f"uv=={UV}"]] * 2


def test_actions_and_the_base_image_are_pinned_by_hash_with_the_version_beside_it() -> None:
    texts = [path.read_text(encoding="utf-8") for path in WORKFLOWS.iterdir()]
    actions = re.findall(r"uses: (.*)", "\n".join(texts))
    assert actions
    for action in actions:
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action
    assert re.search(r"^FROM python:3\.\d+-slim@sha256:[0-9a-f]{64}$", DOCKERFILE, re.MULTILINE)


def test_no_workflow_needs_a_secret_and_a_release_is_tested_on_the_oldest_and_newest_python() -> (
    None
):
    texts = {path.name: path.read_text(encoding="utf-8") for path in WORKFLOWS.iterdir()}
    assert [name for name, text in texts.items() if "secrets." in text] == []
    tested = re.findall(r"Python :: (3\.\d+)", "\n".join(pyproject()["project"]["classifiers"]))
    (of_release,) = re.findall(r"python: \[(.*)\]", texts["release.yml"])
    assert re.findall(r"3\.\d+", of_release) == [tested[0], tested[-1]]


def test_the_classifiers_name_the_versions_of_python_that_all_tests_run_on() -> None:
    named = re.findall(r"Python :: (3\.\d+)", "\n".join(pyproject()["project"]["classifiers"]))
    (tested,) = re.findall(r"python: (\[.*\])", (WORKFLOWS / "ci.yml").read_text(encoding="utf-8"))
    assert re.findall(r"3\.\d+", tested) == named
    assert pyproject()["project"]["requires-python"] == f">={named[0]}"


def test_the_guide_says_of_each_library_what_it_costs() -> None:
    table = GUIDE.split("## Libraries")[1].split("\n## ")[0]
    assert re.findall(r"^\| `([\w-]+)` \|", table, re.MULTILINE) == [
        library.name for library in libraries()
    ]


# The version


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a small tree of files that make a package."""
    for name in ("pyproject.toml", "analyzer/__init__.py", ".ci/version.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        copy(ROOT_FOLDER / name, tmp_path / name)
    return tmp_path


def version(tree: Path, commit: str = "") -> str:
    script = "import runpy; print(runpy.run_path('.ci/version.py')['__version__'])"
    variables = {**os.environ, "CREDREPORT_COMMIT": commit}
    words = [sys.executable, "-c", script]
    done = subprocess.run(
        words, cwd=tree, env=variables, capture_output=True, text=True, check=False
    )
    return (done.stdout or done.stderr.splitlines()[-1]).strip()


def git(tree: Path, words: str) -> str:
    someone = ["-c", "user.name=ann", "-c", "user.email=ann@example.com"]
    command = ["git"] + someone + words.split()
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, check=True).stdout


def test_two_trees_never_have_the_same_version(tree: Path) -> None:
    versions = [version(tree)]
    (tree / "analyzer" / "__init__.py").write_text("")
    versions.append(version(tree))
    (tree / "analyzer" / "__init__.py").rename(tree / "analyzer" / "other.py")
    versions.append(version(tree))
    (tree / "pyproject.toml").write_text("")
    versions.append(version(tree))
    assert len(set(versions)) == 4
    assert all(re.fullmatch(r"\d+\.\d+\.\d+\.dev0\+d[0-9a-f]{12}", each) for each in versions)
    assert list(map(version_text, versions)) == versions


def test_what_python_compiled_and_what_is_no_code_change_no_version(tree: Path) -> None:
    before = version(tree)
    (tree / "analyzer" / "__pycache__").mkdir()
    for name in ("analyzer/__pycache__/a.pyc", "README.md"):
        (tree / name).write_text("another")
    assert version(tree) == before


def test_a_clone_and_an_image_of_its_commit_have_the_same_version(tree: Path) -> None:
    without = version(tree)
    git(tree, "init -q")
    git(tree, "add .")
    git(tree, "commit -qm first")
    commit = git(tree, "rev-parse HEAD").strip()
    of_clone = version(tree)
    assert of_clone == without.replace("+", f"+g{commit[:9]}.")
    (tree / ".git").rename(tree / "elsewhere")
    assert version(tree, commit) == of_clone
    assert version_text(of_clone) == of_clone


def test_a_tag_gives_its_version_unless_something_was_changed_since(tree: Path) -> None:
    git(tree, "init -q")
    git(tree, "add .")
    git(tree, "commit -qm first")
    git(tree, "tag v1.2.3")
    assert version(tree) == "1.2.3"
    (tree / "pyproject.toml").write_text("")
    assert ".dev0+g" in version(tree)


def test_a_commit_that_is_none_is_refused(tree: Path) -> None:
    for commit in ("main", "abc", "g" * 40):
        assert version(tree, commit) == (
            f'ValueError: CREDREPORT_COMMIT is "{commit}": name a commit, as `git rev-parse HEAD`'
        )


def test_an_image_is_not_built_without_its_commit() -> None:
    (check,) = re.findall(r"^RUN (: .*)$", DOCKERFILE, re.MULTILINE)
    for commit in ("", "a" * 40):
        variables = {**os.environ, "CREDREPORT_COMMIT": commit}
        command = ["sh", "-c", check]
        done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
        assert (done.returncode == 0, done.stdout) == (bool(commit), "")
        says = "is missing: add --build-arg CREDREPORT_COMMIT=$(git rev-parse HEAD)"
        assert (says in done.stderr) == (not commit)
