"""The command line, as a person uses it: what is printed, and sentences when it goes wrong."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from config.commands.organization import slug_of
from config.database_url import credentials
from config.settings import Settings

PROJECT = Path(__file__).parent.parent.parent
INTERRUPTED_IMPORT = """
import os, signal, sys

# As at a terminal: what runs in the background may have been told to ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)

class Finder:
    def find_spec(self, name, *_):
        if name == "config.cli":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Finder())
"""

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def metergraph(settings: Settings, fresh_database_url: str, tmp_path: Path) -> Run:
    """Runs `metergraph` with arguments, on a database of this test's own."""

    def run(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        environment = {
            **os.environ,
            "PYTHONPATH": str(PROJECT),
            "METERGRAPH_DATABASE_URL": fresh_database_url,
            "METERGRAPH_REDIS_URL": str(settings.redis_url),
            "METERGRAPH_DATA_DIR": str(tmp_path / "data"),
            **variables,
        }
        return subprocess.run(
            [sys.executable, "-P", "-m", "config", *arguments],
            check=False,
            capture_output=True,
            text=True,
            env=environment,
            cwd=tmp_path,
            timeout=180,
        )

    return run


def complaint(done: "subprocess.CompletedProcess[str]") -> str:
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def test_help_names_every_command(metergraph: Run) -> None:
    done = metergraph("--help")
    assert done.returncode == 0
    for name in ("api", "dev", "migrate", "organization", "token", "worker"):
        assert f"\n  {name} " in done.stdout


def test_ctrl_c_before_anything_has_begun_is_no_traceback(metergraph: Run, tmp_path: Path) -> None:
    (tmp_path / "path").mkdir()
    # Imported by Python itself, before anything of ours.
    (tmp_path / "path" / "sitecustomize.py").write_text(INTERRUPTED_IMPORT)
    done = metergraph("--help", PYTHONPATH=f"{tmp_path / 'path'}:{PROJECT}")
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def test_organizations_and_their_tokens(metergraph: Run) -> None:
    created = metergraph("organization", "create", "Acme, Inc.")
    assert created.returncode == 0, created.stderr
    assert metergraph("organization", "list").stdout == "acme-inc\tAcme, Inc.\n"

    secret = metergraph(
        *("token", "create", "--organization", "acme-inc", "--name", "ingest"),
        *("--scope", "EVENTS_WRITE", "--scope", "usage_read"),
    )
    assert secret.returncode == 0, secret.stderr
    assert secret.stdout.startswith("mg_")
    assert len(secret.stdout) == len("mg_") + 43 + 1

    listed = metergraph("token", "list", "--organization", "acme-inc").stdout
    token_id, name, scopes, *_, state = listed.strip().split("\t")
    assert (name, scopes, state) == ("ingest", "EVENTS_WRITE,USAGE_READ", "valid")
    assert secret.stdout.strip() not in listed

    assert metergraph("token", "revoke", "--organization", "acme-inc", token_id).returncode == 0
    assert "revoked" in metergraph("token", "list", "--organization", "acme-inc").stdout

    temporary = metergraph(
        *("token", "create", "--organization", "acme-inc", "--name", "contractor"),
        *("--scope", "USAGE_READ", "--expires-at", "2999-01-01T00:00:00+01:00"),
    )
    assert temporary.returncode == 0, temporary.stderr
    listed = metergraph("token", "list", "--organization", "acme-inc").stdout
    assert listed.endswith("valid until 2998-12-31T23:00:00+00:00\n")


def test_what_a_person_gets_wrong_is_said_in_a_sentence(metergraph: Run) -> None:
    assert metergraph("organization", "create", "Acme").returncode == 0
    assert "already" in complaint(metergraph("organization", "create", "acme"))
    assert "--slug" in complaint(metergraph("organization", "create", "日本"))
    assert "no organization nope" in complaint(
        metergraph("token", "create", "--organization", "nope", "--name", "x", "--scope", "ADMIN")
    )
    assert "no token" in complaint(
        metergraph(
            *("token", "revoke", "--organization", "acme"), "01890000-0000-7000-8000-000000000000"
        )
    )
    wrong = metergraph("token", "create", "--organization", "acme", "--name", "x", "--scope", "X")
    assert wrong.returncode == 2
    assert "EVENTS_WRITE" in wrong.stderr
    for instant, problem in (("tomorrow", "'tomorrow'"), ("2020-01-01T00:00:00Z", "the future")):
        wrong = metergraph(
            *("token", "create", "--organization", "acme", "--name", "x", "--scope", "ADMIN"),
            *("--expires-at", instant),
        )
        assert wrong.returncode == 2
        assert problem in wrong.stderr


def test_what_is_wrong_around_it_is_said_in_a_sentence(
    metergraph: Run, fresh_database_url: str
) -> None:
    assert "METERGRAPH_PORT is not valid: 'http': " in complaint(
        metergraph("organization", "list", METERGRAPH_PORT="http")
    )
    secret = "mysql://user:p4ss@host/name"
    wrong = complaint(metergraph("organization", "list", METERGRAPH_DATABASE_URL=secret))
    assert wrong.endswith("***@host/name': must begin with postgresql:// or postgres://.\n")
    assert "PostgreSQL cannot be reached" in complaint(
        metergraph("organization", "list", METERGRAPH_DATABASE_URL="postgresql://127.0.0.1:1/x")
    )
    missing = fresh_database_url.replace(credentials(fresh_database_url)["database"], "missing")
    assert 'database "missing" does not exist' in complaint(
        metergraph("organization", "list", METERGRAPH_DATABASE_URL=missing)
    )
    empty = fresh_database_url.replace(credentials(fresh_database_url)["database"], "postgres")
    for line in ("organization list", "cycle"):
        assert "run `metergraph migrate`" in complaint(
            metergraph(*line.split(), METERGRAPH_DATABASE_URL=empty)
        )
    assert "Redis cannot be used: Error 111 connecting to 127.0.0.1:1." in complaint(
        metergraph("dev", "--port", "0", METERGRAPH_REDIS_URL="redis://127.0.0.1:1/0")
    )
    for command in ("api", "worker"):
        assert "metergraph dev" in complaint(metergraph(command, METERGRAPH_DATABASE_URL=""))


def test_a_misspelt_setting_is_said_and_those_of_kubernetes_are_not(metergraph: Run) -> None:
    done = metergraph(
        *("organization", "list"),
        METERGRAPH_PROT="9000",
        METERGRAPH_TOKEN="mg_x",
        METERGRAPH_PORT_8000_TCP="tcp://10.0.0.1:8000",
        METERGRAPH_SERVICE_HOST="10.0.0.1",
    )
    assert done.returncode == 0
    assert done.stderr == (
        "Warning: METERGRAPH_PROT is no setting of Metergraph; is METERGRAPH_PORT meant?\n"
    )


def test_migrate_twice(metergraph: Run) -> None:
    assert metergraph("migrate").stdout == "The database is up to date.\n"


def test_a_folder_called_config_does_not_get_in_the_way(metergraph: Run, tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "__init__.py").write_text("raise RuntimeError")
    assert metergraph("--version").returncode == 0


@pytest.mark.parametrize(
    ("name", "slug"),
    [("Acme, Inc.", "acme-inc"), ("  A  b ", "a-b"), ("x" * 80, "x" * 64), ("日本", "")],
)
def test_the_slug_of_a_name(name: str, slug: str) -> None:
    assert slug_of(name) == slug
