"""`metergraph dev`, run for real: it is started, stopped and killed, and so are its parts."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

PROJECT = Path(__file__).parent.parent.parent
SECONDS = 180.0

pytestmark = pytest.mark.servers


@dataclass(frozen=True)
class Dev:
    """A running `metergraph dev`: its process, and what it printed."""

    process: "subprocess.Popen[str]"
    url: str
    token: str

    @property
    def pid(self) -> int:
        return self.process.pid

    def family(self) -> list[psutil.Process]:
        """Every process of it."""
        parent = psutil.Process(self.pid)
        return [parent, *parent.children(recursive=True)]

    def child(self, word: str) -> psutil.Process:
        """Its child whose command line has the word."""
        for process in psutil.Process(self.pid).children():
            with suppress(psutil.NoSuchProcess):
                if word in process.cmdline() or word in process.name():
                    return process
        raise AssertionError(f"no child {word}")

    def ask(self, query: str) -> httpx.Response:
        return httpx.post(
            f"{self.url}/graphql",
            json={"query": query},
            headers={"authorization": f"Bearer {self.token}"},
            timeout=SECONDS,
        )

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=SECONDS).status_code == 200
        except httpx.HTTPError:
            return False


def command(data_dir: Path, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "metergraph", "dev", *arguments],
        env={
            **os.environ,
            "PYTHONPATH": str(PROJECT),
            "METERGRAPH_DATA_DIR": str(data_dir),
            "METERGRAPH_LOG_LEVEL": "warning",
        },
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextmanager
def started(data_dir: Path, *arguments: str, history: str = "--no-history") -> Iterator[Dev]:
    """`metergraph dev`, ready; killed with all its children if the test has not stopped it."""
    process = command(data_dir, history, *arguments)
    try:
        yield ready(process)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(SECONDS)
        assert process.stdout is not None
        process.stdout.close()


def ready(process: "subprocess.Popen[str]") -> Dev:
    assert process.stdout is not None
    printed = ""
    for line in process.stdout:
        printed += line
        if "Ctrl-C" in line:
            break
    url = re.search(r"(http://\S+)/graphql", printed)
    token = re.search(r"mg_\S+", printed)
    assert url is not None, printed
    assert token is not None, printed
    assert f"{url[1]}/graphql#token={token[0]}\n" in printed
    return Dev(process, url[1], token[0])


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def data_dir(reachable_dir: Path) -> Path:
    """One data directory for these tests: each is another start on it."""
    return reachable_dir / "dev" / ".metergraph"


METERS = "{ organization { slug } meters(first: 10) { nodes { name unit } } }"


def test_it_starts_with_the_demo_and_stops_without_a_trace(data_dir: Path) -> None:
    with started(data_dir, "--port", "0") as dev:
        answer = dev.ask(METERS).json()
        assert answer["data"]["organization"] == {"slug": "demo"}
        assert sorted(meter["name"] for meter in answer["data"]["meters"]["nodes"]) == [
            "AI usage",
            "File upload",
            "Storage",
            "Video streaming",
        ]
        files = [path for path in data_dir.iterdir() if path.is_file()]
        assert {oct(path.stat().st_mode & 0o777) for path in files} == {"0o600"}
        assert (data_dir / "demo-token") in files
        family = dev.family()
        assert len(family) > 4

        dev.process.send_signal(signal.SIGINT)
        assert dev.process.wait(SECONDS) == 0
    assert not any(process.is_running() for process in family)


def test_after_being_killed_it_recovers_and_prints_the_same_token(data_dir: Path) -> None:
    with started(data_dir, "--port", "0") as dev:
        port = dev.url.rpartition(":")[2]
        dev.process.kill()
        dev.process.wait()
        # At once, on the same port, which what is left of the first may still hold.
        with started(data_dir, "--port", port) as again:
            assert again.token == dev.token
            assert len(again.ask(METERS).json()["data"]["meters"]["nodes"]) == 4


@pytest.mark.slow
def test_after_everything_of_it_was_killed_it_recovers(data_dir: Path) -> None:
    with started(data_dir, "--port", "0") as dev:
        for process in dev.family():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        dev.process.wait()
    with started(data_dir, "--port", "0") as again:
        assert again.token == dev.token
        assert again.is_ready()


@pytest.mark.slow
@pytest.mark.parametrize("word", ["api", "worker", "postgres", "valkey-server"])
def test_a_part_that_is_killed_is_started_again(data_dir: Path, word: str) -> None:
    with started(data_dir, "--port", "0") as dev:
        killed = dev.child(word)
        killed.kill()
        eventually(lambda: _is_another(dev, word, killed.pid))
        eventually(dev.is_ready)
        eventually(lambda: dev.ask(METERS).json().get("data") is not None)


def _is_another(dev: Dev, word: str, pid: int) -> bool:
    try:
        return bool(dev.child(word).pid != pid)
    except AssertionError:
        return False


@pytest.mark.slow
def test_a_new_demo_is_filled_in_the_background_once_and_also_if_interrupted(
    data_dir: Path,
) -> None:
    directory = data_dir.with_name("filled")
    filling = "Filling the demo organization with 90 days of data ...\n"
    with started(directory, "--port", "0", history="--history") as dev:
        assert dev.process.stdout is not None
        assert dev.process.stdout.readline() + dev.process.stdout.readline() == "\n" + filling
        family = dev.family()
        dev.process.send_signal(signal.SIGINT)
        assert dev.process.wait(SECONDS) == 0
        rest = dev.process.stdout.read()
        assert "Filled" not in rest
        assert "failed" not in rest
    assert not any(process.is_running() for process in family)
    with started(directory, "--port", "0", history="--history") as dev:
        assert dev.process.stdout is not None
        printed = "".join(dev.process.stdout.readline() for _ in range(5))
        assert filling in printed
        assert re.search(r"Filled the demo organization.*:\n.* events,\n.* invoices\.\n", printed)
        answer = dev.ask("{ invoices(first: 1) { nodes { number } } }").json()
        assert len(answer["data"]["invoices"]["nodes"]) == 1
    with started(directory, "--port", "0", history="--history") as dev:
        dev.process.send_signal(signal.SIGINT)
        assert dev.process.wait(SECONDS) == 0
        assert dev.process.stdout is not None
        assert "Filling" not in dev.process.stdout.read()


def test_a_port_in_use_is_one_sentence(data_dir: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = command(data_dir, "--port", str(port))
        output, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert output.count("\n") == 1
    assert output.startswith(f"Error: Port {port} on 127.0.0.1 is in use.")


def test_a_second_one_on_the_same_data_is_one_sentence(data_dir: Path) -> None:
    with started(data_dir, "--port", "0") as dev:
        process = command(data_dir, "--port", "0")
        output, _ = process.communicate(timeout=SECONDS)
        assert process.returncode == 1
        assert f"already running on {data_dir} by process {dev.pid}, at {dev.url}" in output
        assert dev.is_ready()


@pytest.mark.slow
def test_two_copies_run_side_by_side(data_dir: Path) -> None:
    with (
        started(data_dir, "--port", "0") as one,
        started(data_dir.with_name("another"), "--port", "0") as two,
    ):
        assert one.token != two.token
        assert one.is_ready()
        assert two.is_ready()
        assert two.ask(METERS).status_code == 200
        answer = httpx.post(
            f"{two.url}/graphql",
            json={"query": METERS},
            headers={"authorization": f"Bearer {one.token}"},
            timeout=SECONDS,
        )
        assert answer.status_code == 401
