"""A server that other machines reach logs at its start what strangers may see."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from config.settings import Settings
from metergraph.asgi.listening import is_public, listen, local_url, url
from tests.commands import environment_of

PROJECT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("host", "public"),
    [("127.0.0.1", False), ("::1", False), ("localhost", False), ("0.0.0.0", True), ("::", True)],
)
def test_what_listens_on_loopback_is_not_public(host: str, *, public: bool) -> None:
    if ":" in host and not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    with listen(host, 0) as listening:
        assert is_public(listening) == public


def test_the_url_of_a_public_server_is_not_loopback() -> None:
    with listen("0.0.0.0", 0) as listening:
        port = listening.getsockname()[1]
        assert url(listening, "0.0.0.0") == f"http://0.0.0.0:{port}"
        assert local_url(listening, "0.0.0.0") == f"http://127.0.0.1:{port}"


def said_at_start(settings: Settings, host: str, **variables: str) -> list[str]:
    """What the API logs until it serves."""
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "metergraph", "api", "--host", host, "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": str(PROJECT),
            "METERGRAPH_LOG_FORMAT": "json",
            **environment_of(settings, **variables),
        },
    ) as process:
        assert process.stderr is not None
        try:
            lines = []
            for line in process.stderr:
                lines.append(line)
                if "startup complete" in line:
                    return [json.loads(line)["turn_off"] for line in lines if "turn_off" in line]
            pytest.fail("".join(lines))
        finally:
            process.kill()


@pytest.mark.servers
def test_a_public_server_names_the_settings_that_close_it(
    settings: Settings, database: object
) -> None:
    assert said_at_start(settings, "0.0.0.0") == [
        "METERGRAPH_GRAPHIQL=false METERGRAPH_INTROSPECTION=false"
    ]


@pytest.mark.servers
@pytest.mark.parametrize(
    ("host", "graphiql"),
    [("127.0.0.1", "true"), ("0.0.0.0", "false")],
)
def test_a_closed_or_private_server_says_nothing(
    settings: Settings, database: object, host: str, graphiql: str
) -> None:
    closed = {"METERGRAPH_GRAPHIQL": graphiql, "METERGRAPH_INTROSPECTION": graphiql}
    assert said_at_start(settings, host, **closed) == []
