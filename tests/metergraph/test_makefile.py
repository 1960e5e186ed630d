"""The Makefile explains itself, and the locks hold no address."""

import re
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent.parent


def make(*arguments: str) -> str:
    done = subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def test_help_is_the_default_and_lists_every_target() -> None:
    makefile = (PROJECT / "Makefile").read_text()
    targets = re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)
    assert {"run", "test", "check", "format", "bench", "lock", "clean"} <= set(targets)
    printed = make()
    assert printed == make("help")
    assert re.findall(r"^  ([a-z-]+) ", printed, re.MULTILINE) == targets
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony is not None
    assert phony[1].split() == targets


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_locked_version_has_hashes_and_no_address(name: str) -> None:
    text = (PROJECT / name).read_text()
    assert "://" not in text
    assert "--index-url" not in text
    assert "--find-links" not in text
    requirements = re.split(r"\n(?=\S)", text.strip())
    assert len(requirements) > 40
    for requirement in requirements:
        assert re.match(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==\S+", requirement), requirement
        assert "--hash=sha256:" in requirement


def test_what_runs_is_locked_as_it_is_tested() -> None:
    def versions(name: str) -> set[str]:
        return set(re.findall(r"^(\S+==\S+)", (PROJECT / name).read_text(), re.MULTILINE))

    assert versions("requirements.txt") <= versions("requirements-dev.txt")
