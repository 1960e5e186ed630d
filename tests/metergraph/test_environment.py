"""scripts/environment, with an interpreter that only records what pip is asked for."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent.parent

COPIED = (
    *("scripts/environment", "scripts/port", "requirements.txt", "pyproject.toml"),
    *("config/__init__.py", "metergraph/asgi/listening.py"),
)
Run = Callable[..., "subprocess.CompletedProcess[str]"]

INTERPRETER = f"""#!/bin/sh
case "$*" in
    *version_info*) # prints itself, if it is 3.11 or later
        [ "$(printf '%s\\n' 3.11 "$AS_PYTHON" | sort -V | head -n 1)" != 3.11 ] || echo "$0" ;;
    *base_prefix*) # which installation it is of
        case "$0" in .venv/*) cat .venv/made-with ;; *) echo "$AS_PYTHON" ;; esac ;;
    *scripts/port*) exec '{sys.executable}' "$@" ;;
    *fcntl*) exec '{sys.executable}' "$@" ;;
    "-m venv .venv")
        mkdir -p .venv/bin && cp "$0" .venv/bin/python && cp "$0" .venv/bin/metergraph
        echo "$AS_PYTHON" >.venv/made-with ;;
    "-m pip"*)
        echo "$*" >>pip.log
        case "$*" in *--editable*) ;; *) seq -f "Collecting p%g==1" 20 ;; esac
        echo "Installing collected packages" ;;
esac
"""


@pytest.fixture
def environment(tmp_path: Path) -> Run:
    """Runs the script in a project of its own, as if with some version of Python."""
    for name in COPIED:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / name, tmp_path / name)
    interpreter = tmp_path / "python"
    interpreter.write_text(INTERPRETER)
    interpreter.chmod(0o755)

    def run(version: str, *check: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        (tmp_path / "pip.log").write_text("")
        return subprocess.run(
            ["scripts/environment", "requirements.txt", *check],
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


@pytest.mark.parametrize("by_variable", [True, False])
def test_a_port_in_use_is_reported_before_anything_is_installed(
    environment: Run, tmp_path: Path, *, by_variable: bool
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        if by_variable:
            refused = environment("3.12", "scripts/port", METERGRAPH_PORT=port)
        else:
            refused = environment("3.12", "scripts/port", "--host", "127.0.0.1", f"--port={port}")
    assert refused.returncode == 1
    assert refused.stderr.startswith(
        f"Error: Port {port} on 127.0.0.1 is in use. Stop what uses it"
    )
    assert not (tmp_path / ".venv").exists()
    for free in (("--port", port), ("--port", "0")):
        assert environment("3.12", "scripts/port", *free).returncode == 0
    assert (tmp_path / ".venv").exists()


@pytest.mark.parametrize("port", ["99999", "-1", "many", ""])
def test_a_port_that_is_no_port_is_refused_before_anything_is_installed(
    environment: Run, tmp_path: Path, port: str
) -> None:
    refused = environment("3.12", "scripts/port", f"--port={port}")
    assert refused.returncode == 1
    assert refused.stderr == f"Error: The port must be a number from 0 to 65535, not {port!r}.\n"
    assert not (tmp_path / ".venv").exists()


def test_a_python_that_is_named_is_the_one_that_is_used(environment: Run, tmp_path: Path) -> None:
    environment("3.12")
    again = environment("3.11")
    assert (again.returncode, again.stderr.splitlines()[0][:12]) == (0, "Making .venv")
    assert len(asked_of_pip(tmp_path)) == 2
    unnamed = environment("3.12", PYTHON="")
    assert (unnamed.returncode, unnamed.stderr, asked_of_pip(tmp_path)) == (0, "", [])


@pytest.mark.parametrize("wrong", ["/no/python", "true", "echo", "ls", "/", "/no such/python"])
def test_what_is_not_a_python_is_refused_and_the_environment_stays(
    environment: Run, tmp_path: Path, wrong: str
) -> None:
    environment("3.12")
    refused = environment("3.12", PYTHON=wrong)
    assert refused.returncode == 1
    assert refused.stderr == f"PYTHON={wrong} is not Python 3.11 or later.\n"
    assert asked_of_pip(tmp_path) == []
    unnamed = environment("3.12", PYTHON="")
    assert (unnamed.returncode, unnamed.stderr, asked_of_pip(tmp_path)) == (0, "", [])


def test_an_old_python_is_refused_with_a_sentence(environment: Run) -> None:
    done = environment("3.10")
    assert done.returncode == 1
    assert done.stderr.endswith("python is not Python 3.11 or later.\n")
