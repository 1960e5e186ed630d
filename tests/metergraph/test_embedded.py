"""The embedded servers: running, after being killed, and in awkward places."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import asyncpg
import psutil
import pytest
from redis.asyncio import Redis

from metergraph.database.database_url import credentials
from metergraph.embedded import (
    AlreadyRunningError,
    EmbeddedServerError,
    EmbeddedServers,
    embedded_servers,
    running_addresses,
)
from metergraph.embedded.processes import end

# Power does not fail while these run.
running = partial(embedded_servers, durable=False)

pytestmark = pytest.mark.servers


@pytest.fixture
def data_dir(reachable_dir: Path) -> Path:
    parent = Path(tempfile.mkdtemp(prefix="a place ", dir=reachable_dir))
    parent.chmod(0o711)
    return parent / ".metergraph"


async def execute(servers: EmbeddedServers, statement: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(**credentials(str(servers.database_url)))
    try:
        rows: list[asyncpg.Record] = await connection.fetch(statement)
        return rows
    finally:
        await connection.close()


def servers_of(servers: EmbeddedServers) -> list[psutil.Process]:
    return [
        psutil.Process(server.process.pid)
        for server in servers.servers
        if server.process is not None
    ]


async def test_both_answer_and_stop_without_a_trace(data_dir: Path) -> None:
    with running(data_dir) as servers:
        rows = await execute(servers, "SELECT current_setting('server_version_num')::int AS number")
        assert rows[0]["number"] >= 180_000
        redis = Redis.from_url(str(servers.redis_url))
        assert await redis.ping()
        about = await redis.info("server")
        assert int(about["valkey_version"].partition(".")[0]) >= 9
        assert about["tcp_port"] == 0
        await redis.aclose()
        processes = servers_of(servers)
        assert len(processes) == 2
        found = running_addresses(data_dir)
        assert found is not None
        assert (found.pid, found.database_url) == (os.getpid(), servers.database_url)
    assert not any(process.is_running() for process in processes)
    assert running_addresses(data_dir) is None


async def test_commits_survive_power_cuts(data_dir: Path) -> None:
    with embedded_servers(data_dir, redis=False) as servers:
        for name, value in {
            "fsync": "on",
            "synchronous_commit": "on",
            "full_page_writes": "on",
            "listen_addresses": "",
            "TimeZone": "UTC",
            "server_encoding": "UTF8",
        }.items():
            rows = await execute(servers, f"SELECT current_setting('{name}') AS value")
            assert rows[0]["value"] == value, name
        rows = await execute(servers, "SELECT 'a' < 'B' AS by_language, 'É' ILIKE 'é' AS folds")
        assert dict(rows[0]) == {"by_language": False, "folds": True}


def test_a_second_run_on_the_same_data_is_refused_with_a_sentence(data_dir: Path) -> None:
    with running(data_dir, postgres=False):
        with pytest.raises(AlreadyRunningError, match=f"process {os.getpid()}") as caught:
            EmbeddedServers(data_dir)
        assert "METERGRAPH_DATA_DIR" in str(caught.value)


@pytest.mark.parametrize("with_servers", [False, True])
async def test_data_outlives_a_run_that_was_killed(data_dir: Path, *, with_servers: bool) -> None:
    with running_elsewhere(data_dir) as run:
        await execute_at(data_dir, "CREATE TABLE kept AS SELECT 42 AS number")
        servers = psutil.Process(run.pid).children(recursive=True)
        run.kill()
        for process in servers if with_servers else ():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        run.wait()
    with running(data_dir) as restarted:
        assert (await execute(restarted, "SELECT number FROM kept"))[0]["number"] == 42


async def test_a_process_that_has_taken_the_old_number_is_left_alone(data_dir: Path) -> None:
    with running(data_dir, redis=False) as servers:
        assert servers.postgres is not None
        path = servers.postgres.data / "postmaster.pid"
        written = path.read_text().splitlines()
    # As if PostgreSQL had been killed, and its number were ours now.
    path.write_text("\n".join([str(os.getpid()), *written[1:]]) + "\n")
    with running(data_dir, redis=False) as servers:
        assert len(await execute(servers, "SELECT 1")) == 1


async def test_a_server_that_was_killed_can_be_started_again(data_dir: Path) -> None:
    with running(data_dir) as servers:
        await execute(servers, "CREATE TABLE kept AS SELECT 42 AS number")
        for process in servers_of(servers):
            process.kill()
        for server in servers.servers:
            assert server.process is not None
            server.process.wait()
            server.start()
        assert (await execute(servers, "SELECT number FROM kept"))[0]["number"] == 42


async def test_making_the_cluster_again_after_being_cut_off(data_dir: Path) -> None:
    servers = EmbeddedServers(data_dir, redis=False, durable=False)
    assert servers.postgres is not None
    draft = servers.postgres.data.with_suffix(".new")
    draft.mkdir()
    (draft / "PG_VERSION").write_text("18\n")
    servers.start()
    assert len(await execute(servers, "SELECT 1")) == 1
    servers.stop()


async def test_a_path_too_long_for_a_socket(data_dir: Path) -> None:
    deep = data_dir / ("d" * 100) / "e"
    with running(deep) as servers:
        assert len(await execute(servers, "SELECT 1")) == 1
        assert len(str(servers.database_url)) < 100


async def test_two_data_directories_side_by_side(data_dir: Path) -> None:
    with (
        running(data_dir / "one") as one,
        running(data_dir / "two") as two,
    ):
        await execute(one, "CREATE TABLE mine ()")
        found = await execute(two, "SELECT to_regclass('mine') IS NULL AS apart")
        assert found[0]["apart"]


def test_a_copy_beside_the_running_original_is_refused_with_a_sentence(data_dir: Path) -> None:
    original, copy = (data_dir / ("d" * 100) / name for name in ("original", "copy"))
    with running(original, postgres=False):
        copy.mkdir()
        shutil.copy(original / "id", copy)
        with pytest.raises(AlreadyRunningError, match=f"{copy} is a copy"):
            EmbeddedServers(copy, postgres=False)
        (copy / "id").unlink()
        with running(copy, postgres=False):
            pass


def test_data_of_another_version_is_refused_with_a_sentence(data_dir: Path) -> None:
    servers = EmbeddedServers(data_dir, redis=False, durable=False)
    assert servers.postgres is not None
    servers.postgres.data.mkdir()
    (servers.postgres.data / "PG_VERSION").write_text("16\n")
    with pytest.raises(EmbeddedServerError, match="PostgreSQL 16"):
        servers.start()


def test_a_data_directory_that_cannot_be_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedServerError, match="METERGRAPH_DATA_DIR"):
        EmbeddedServers(tmp_path / "file" / "data")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's servers run as another account")
async def test_root_may_use_a_directory_that_is_closed_to_others(data_dir: Path) -> None:
    data_dir.parent.chmod(0o700)
    with running(data_dir, redis=False) as servers:
        assert servers.postgres is not None
        assert data_dir not in servers.postgres.data.parents
        assert data_dir.parent.stat().st_mode & 0o777 == 0o700
        assert len(await execute(servers, "SELECT 1")) == 1
        [process] = servers_of(servers)
        assert process.uids().real != 0
    shutil.rmtree(servers.postgres.data.parent)


class running_elsewhere:  # noqa: N801  # a context manager that reads as one
    """The embedded servers of a data directory, run by another process."""

    _CODE = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from metergraph.embedded import embedded_servers\n"
        "with embedded_servers(Path(sys.argv[1]), durable=False):\n"
        "    print('running', flush=True)\n"
        "    time.sleep(600)\n"
    )

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir

    def __enter__(self) -> "subprocess.Popen[str]":
        self._process = subprocess.Popen(
            [sys.executable, "-c", self._CODE, str(self._data_dir)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parent.parent.parent,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "running\n"
        return self._process

    def __exit__(self, *_exception: object) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


async def execute_at(data_dir: Path, statement: str) -> None:
    found = running_addresses(data_dir)
    assert found is not None
    connection = await asyncpg.connect(**credentials(str(found.database_url)))
    await connection.execute(statement)
    await connection.close()


@pytest.fixture
def stubborn() -> Iterator[psutil.Process]:
    """A process that takes no notice of SIGTERM."""
    code = (
        "import signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('deaf', flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield psutil.Process(process.pid)
        process.kill()


def test_a_process_that_ignores_sigterm_is_killed(stubborn: psutil.Process) -> None:
    started = time.monotonic()
    end([stubborn], signal.SIGTERM, 0.2)
    assert time.monotonic() - started < 60
    assert not stubborn.is_running() or stubborn.status() == psutil.STATUS_ZOMBIE
