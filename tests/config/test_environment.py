"""scripts/environment, with an interpreter that only writes down what pip is asked for."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent.parent

Run = Callable[..., "subprocess.CompletedProcess[str]"]

INTERPRETER = f"""#!/bin/sh
case "$*" in
    *version_info*) # whether it is $3 or later
        [ "$(printf '%s\\n' "$3" "$AS_PYTHON" | sort -V | head -n 1)" = "$3" ] ;;
    *base_prefix*) # which installation it is of
        case "$0" in .venv/*) cat .venv/made-with ;; *) echo "$AS_PYTHON" ;; esac ;;
    *fcntl*) exec '{sys.executable}' "$@" ;;
    "-m venv .venv")
        mkdir -p .venv/bin && cp "$0" .venv/bin/python && cp "$0" .venv/bin/metergraph
        echo "$AS_PYTHON" >.venv/made-with ;;
    "-m pip"*) echo "$*" >>pip.log ;;
esac
"""


@pytest.fixture
def environment(tmp_path: Path) -> Run:
    """Runs the script in a project of its own, as if with some version of Python."""
    (tmp_path / "scripts").mkdir()
    for name in ("scripts/environment", "requirements.txt", "pyproject.toml"):
        shutil.copy(PROJECT / name, tmp_path / name)
    interpreter = tmp_path / "python"
    interpreter.write_text(INTERPRETER)
    interpreter.chmod(0o755)

    def run(version: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        (tmp_path / "pip.log").write_text("")
        return subprocess.run(
            ["scripts/environment", "requirements.txt"],
            cwd=tmp_path,
            env={
                **os.environ,
                "PYTHON": str(interpreter),
                "AS_PYTHON": version,
                **variables,
            },
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def asked_of_pip(project: Path) -> list[str]:
    return (project / "pip.log").read_text().splitlines()


@pytest.mark.parametrize("version", ["3.11", "3.14"])
def test_it_installs_the_lock_and_then_nothing_more(
    environment: Run, tmp_path: Path, version: str
) -> None:
    done = environment(version)
    assert done.returncode == 0, done.stderr
    lock, project = asked_of_pip(tmp_path)
    assert lock.endswith("--require-hashes -r requirements.txt")
    assert project.endswith("--editable .")
    again = environment(version)
    assert (again.returncode, again.stderr, asked_of_pip(tmp_path)) == (0, "", [])


def test_a_python_that_is_named_is_the_one_that_is_used(environment: Run, tmp_path: Path) -> None:
    environment("3.12")
    again = environment("3.11")
    assert (again.returncode, again.stderr.splitlines()[0][:12]) == (0, "Making .venv")
    assert len(asked_of_pip(tmp_path)) == 2
    unnamed = environment("3.12", PYTHON="")
    assert (unnamed.returncode, unnamed.stderr, asked_of_pip(tmp_path)) == (0, "", [])
    missing = environment("3.12", PYTHON="/no/python")
    assert missing.returncode == 1
    assert missing.stderr == "PYTHON=/no/python is no Python 3.11 or later.\n"


def test_an_old_python_is_refused_with_a_sentence(environment: Run) -> None:
    done = environment("3.10")
    assert done.returncode == 1
    assert done.stderr.endswith("python is no Python 3.11 or later.\n")
