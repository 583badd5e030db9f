"""What is installed, and from where, is what pyproject.toml and the guides say."""

import re
import tomllib
from functools import cache
from typing import Any

from packaging.requirements import Requirement

from tests.support.builders import ROOT_FOLDER

WORKFLOWS = ROOT_FOLDER / ".github" / "workflows"
CONSTRAINTS = (ROOT_FOLDER / "samples" / "deploy" / "constraints.txt").read_text(encoding="utf-8")
DOCKERFILE = (ROOT_FOLDER / "samples" / "deploy" / "Dockerfile").read_text(encoding="utf-8")
GUIDE = (ROOT_FOLDER / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")


@cache
def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT_FOLDER / "pyproject.toml").read_text(encoding="utf-8"))


def libraries() -> list[Requirement]:
    return [*map(Requirement, pyproject()["project"]["dependencies"])]


def test_each_library_and_what_builds_the_wheel_is_pinned_within_its_bounds() -> None:
    pinned = dict(re.findall(r"^(\S+)==(\S+) ", CONSTRAINTS, re.MULTILINE))
    needed = [*libraries(), *map(Requirement, pyproject()["build-system"]["requires"])]
    for library in needed:
        assert library.specifier.contains(pinned[library.name]), library


def test_each_pinned_version_has_hashes_and_no_address_is_named() -> None:
    versions = re.split(r"^(?=\S)", CONSTRAINTS, flags=re.MULTILINE)[1:]
    assert [each for each in versions if not re.search(r"--hash=sha256:[0-9a-f]{64}", each)] == []
    assert {
        line.split("=")[0].strip() for line in CONSTRAINTS.splitlines() if "==" not in line
    } == {"--hash"}


def test_the_container_and_the_workflow_install_the_pinned_versions_alone() -> None:
    workflow = (WORKFLOWS / "credential-review.yml").read_text(encoding="utf-8")
    for text in (DOCKERFILE, workflow):
        pinned, program = re.findall(r"pip install (.*)", text)
        assert "--require-hashes -r " in pinned
        assert "--no-deps --no-build-isolation " in program


def test_actions_and_the_base_image_are_pinned_by_hash_with_the_version_beside_it() -> None:
    texts = [path.read_text(encoding="utf-8") for path in WORKFLOWS.iterdir()]
    actions = re.findall(r"uses: (.*)", "\n".join(texts))
    assert actions
    for action in actions:
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action
    assert re.search(r"^FROM python:3\.\d+-slim@sha256:[0-9a-f]{64}$", DOCKERFILE, re.MULTILINE)


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
