"""The key of `metergraph dev`, and a worker that is started by hand beside it."""

import base64
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from config.settings import Settings
from metergraph.connections import with_running_servers
from metergraph.embedded import Addresses, EmbeddedServers
from metergraph.embedded.private_files import kept_text, secret_key
from tests.metergraph.test_dev import PROJECT, SECONDS, started
from tests.webhooks.receiver import receiving

DATABASE, REDIS = "postgresql://metergraph:secret@127.0.0.1/metergraph", "redis://127.0.0.1:1/0"
OTHER = "postgresql://metergraph:secret@db.example/metergraph"
KEY, OWN = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2))


def test_the_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    made = secret_key(tmp_path)
    assert Fernet(made).decrypt(Fernet(made).encrypt(b"secret")) == b"secret"
    assert secret_key(tmp_path) == made
    other = tmp_path / "other"
    other.mkdir()
    assert secret_key(other) != made
    [path] = [path for path in tmp_path.iterdir() if path.is_file()]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_start_that_is_cut_off_leaves_no_half_a_key(tmp_path: Path) -> None:
    def cut_off() -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept_text(tmp_path / "key", cut_off)
    assert list(tmp_path.iterdir()) == []
    assert kept_text(tmp_path / "key", lambda: KEY) == KEY


def test_two_first_starts_at_once_agree_on_the_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(lambda _number: secret_key(tmp_path), range(8)))) == 1


@contextmanager
def published(data_dir: Path) -> Iterator[None]:
    """As if `metergraph dev` ran here."""
    servers = EmbeddedServers(data_dir, postgres=False, redis=False)
    try:
        servers.publish(Addresses(os.getpid(), DATABASE, REDIS, None, KEY, True))
        yield
    finally:
        servers.stop()


def chosen(data_dir: Path, **given: str) -> Settings:
    """The settings of a command beside it, with what its environment gives."""
    settings = Settings(data_dir=data_dir, secret_key=None)
    key = {"secret_key": SecretStr(given.pop("secret_key"))} if "secret_key" in given else {}
    return with_running_servers(settings.model_copy(update={**given, **key}))


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({}, KEY),
        ({"database_url": DATABASE, "redis_url": REDIS}, KEY),
        ({"secret_key": OWN}, OWN),
        ({"database_url": OTHER}, None),
        ({"database_url": OTHER, "redis_url": REDIS}, None),
    ],
)
def test_a_command_beside_dev_has_its_key_on_its_database_only(
    tmp_path: Path, given: dict[str, str], key: str | None
) -> None:
    with published(tmp_path):
        found = chosen(tmp_path, **given)
    assert found.database_url == given.get("database_url", DATABASE)
    assert found.redis_url == REDIS
    assert (None if found.secret_key is None else found.secret_key.get_secret_value()) == key
    assert found.webhook_allow_insecure is (found.database_url == DATABASE)


def test_without_dev_the_settings_are_those_of_the_environment(tmp_path: Path) -> None:
    found = chosen(tmp_path, database_url=DATABASE, redis_url=REDIS)
    assert (found.secret_key, found.webhook_allow_insecure) == (None, False)


CREATE = """mutation {{ webhookEndpointCreate(input: {{url: "{url}"}}) {{
  webhookEndpoint {{ id }} userErrors {{ message }} }} }}"""
HAPPEN = """mutation { customerCreate(input: {externalId: "beside"}) { customer { id } } }"""


@pytest.mark.servers
async def test_a_worker_beside_dev_delivers_what_dev_does_not(
    reachable_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("METERGRAPH_SECRET_KEY")
    data_dir = reachable_dir / "beside" / ".metergraph"
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "METERGRAPH_DATA_DIR": str(data_dir)}
    async with receiving() as receiver:
        with started(data_dir, "--port", "0") as dev:
            made = dev.ask(CREATE.format(url=receiver.url)).json()["data"]["webhookEndpointCreate"]
            assert made["userErrors"] == []
            of_dev = dev.child("worker")
            of_dev.send_signal(signal.SIGSTOP)  # this one does nothing from here on
            try:
                with subprocess.Popen(
                    [sys.executable, "-P", "-m", "metergraph", "worker"],
                    env=environment,
                    cwd=PROJECT,
                ) as beside:
                    try:
                        assert "errors" not in dev.ask(HAPPEN).json()
                        await receiver.wait_for(1, SECONDS)
                    finally:
                        beside.terminate()
            finally:
                of_dev.send_signal(signal.SIGCONT)
    assert [message["type"] for message in receiver.messages] == ["customer.created"]
    assert receiver.messages[0]["data"]["externalId"] == "beside"
