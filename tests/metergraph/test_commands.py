"""The command line as a person uses it: what it prints, and one sentence for each mistake."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from config.settings import Settings
from metergraph.database.database_url import credentials
from tests.commands import Result, environment_of, run_command

PROJECT = Path(__file__).parent.parent.parent
INTERRUPTED_IMPORT = """
import os, signal, sys

# As at a terminal: what runs in the background may have been told to ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)

class Finder:
    def find_spec(self, name, *_):
        if name == "metergraph.cli":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Finder())
"""

Run = Callable[..., Result]


@pytest.fixture
def environment(settings: Settings, fresh_database_url: str, tmp_path: Path) -> dict[str, str]:
    """Variables for commands on a database of this test's own."""
    return {
        "PYTHONPATH": str(PROJECT),
        **environment_of(settings),
        "METERGRAPH_DATA_DIR": str(tmp_path / "data"),
    }


@pytest.fixture
def metergraph(environment: dict[str, str], tmp_path: Path) -> Run:
    """Runs `metergraph` with arguments."""

    def run(*arguments: str, **variables: str) -> Result:
        return run_command(*arguments, environment={**environment, **variables}, directory=tmp_path)

    return run


@pytest.fixture
def interpreter(environment: dict[str, str], tmp_path: Path) -> Run:
    """As `metergraph`, in a new interpreter: for what happens before anything is imported."""

    def run(*arguments: str, **variables: str) -> Result:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "metergraph", *arguments],
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, **environment, **variables},
            cwd=tmp_path,
            timeout=180,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    return run


def complaint(done: Result) -> str:
    assert done.code == 1, done.out + done.err
    assert "Traceback" not in done.err
    return done.err


def test_help_names_every_command(interpreter: Run) -> None:
    done = interpreter("--help")
    assert done.code == 0
    for name in ("api", "dev", "migrate", "organization", "token", "worker"):
        assert f"\n  {name} " in done.out


def test_ctrl_c_before_anything_has_begun_is_no_traceback(interpreter: Run, tmp_path: Path) -> None:
    (tmp_path / "path").mkdir()
    # Imported by Python itself, before anything of ours.
    (tmp_path / "path" / "sitecustomize.py").write_text(INTERRUPTED_IMPORT)
    done = interpreter("--help", PYTHONPATH=f"{tmp_path / 'path'}:{PROJECT}")
    assert (done.code, done.out, done.err) == (-signal.SIGINT, "", "")


def test_organizations_and_their_tokens(metergraph: Run) -> None:
    for name in ("  Acme, Inc. ", "x" * 80):
        created = metergraph("organization", "create", name)
        assert created.code == 0, created.err
    organizations = metergraph("organization", "list").out.splitlines()
    assert [line.partition("\t")[0] for line in organizations] == ["acme-inc", "x" * 64]

    secret = metergraph(
        *("token", "create", "--organization", "acme-inc", "--name", "ingest"),
        *("--scope", "EVENTS_WRITE", "--scope", "usage_read"),
    )
    assert secret.code == 0, secret.err
    assert secret.out.startswith("mg_")
    assert len(secret.out) == len("mg_") + 43 + 1

    listed = metergraph("token", "list", "--organization", "acme-inc").out
    token_id, name, scopes, *_, state = listed.strip().split("\t")
    assert (name, scopes, state) == ("ingest", "EVENTS_WRITE,USAGE_READ", "valid")
    assert secret.out.strip() not in listed

    assert metergraph("token", "revoke", "--organization", "acme-inc", token_id).code == 0
    assert "revoked" in metergraph("token", "list", "--organization", "acme-inc").out

    temporary = metergraph(
        *("token", "create", "--organization", "acme-inc", "--name", "contractor"),
        *("--scope", "USAGE_READ", "--expires-at", "2999-01-01T00:00:00+01:00"),
    )
    assert temporary.code == 0, temporary.err
    listed = metergraph("token", "list", "--organization", "acme-inc").out
    assert listed.endswith("valid until 2998-12-31T23:00:00+00:00\n")


def test_mistakes_are_told_in_a_sentence(metergraph: Run) -> None:
    assert metergraph("organization", "create", "Acme").code == 0
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
    token = ("token", "create", "--organization", "acme", "--scope", "ADMIN", "--name")
    for named, fault in (
        ((*token, " "), "The name is empty."),
        ((*token, "\udcff"), "The name contains a lone surrogate."),
        (("organization", "create", "--slug", "long", "x" * 257), "The name has 257 characters"),
    ):
        refused = metergraph(*named)
        assert (refused.code, fault in refused.err) == (2, True), refused.err
    wrong = metergraph("token", "create", "--organization", "acme", "--name", "x", "--scope", "X")
    assert wrong.code == 2
    assert "EVENTS_WRITE" in wrong.err
    for instant, problem in (("tomorrow", "'tomorrow'"), ("2020-01-01T00:00:00Z", "the future")):
        wrong = metergraph(
            *("token", "create", "--organization", "acme", "--name", "x", "--scope", "ADMIN"),
            *("--expires-at", instant),
        )
        assert wrong.code == 2
        assert problem in wrong.err


def test_wrong_settings_and_servers_are_told_in_a_sentence(
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


def test_a_misspelt_setting_is_told_and_those_of_kubernetes_are_not(metergraph: Run) -> None:
    done = metergraph(
        *("organization", "list"),
        METERGRAPH_PROT="9000",
        METERGRAPH_TOKEN="mg_x",
        METERGRAPH_PORT_8000_TCP="tcp://10.0.0.1:8000",
        METERGRAPH_SERVICE_HOST="10.0.0.1",
    )
    assert done.code == 0
    assert done.err == (
        "Warning: METERGRAPH_PROT is not a setting of Metergraph; did you mean METERGRAPH_PORT?\n"
    )


def test_migrate_twice(metergraph: Run) -> None:
    assert metergraph("migrate").out == "The database is up to date.\n"


def test_the_tables_of_plain_postgresql_are_not_distributed(metergraph: Run) -> None:
    assert "plain PostgreSQL, without the extension citus" in complaint(
        metergraph("migrate", "--distribute")
    )


def test_a_folder_called_config_does_not_get_in_the_way(interpreter: Run, tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "__init__.py").write_text("raise RuntimeError")
    assert interpreter("--version").code == 0
