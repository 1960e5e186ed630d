"""A real server for suites and clients that others wrote, and the Node.js programs that run them."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Protocol

import pytest
import uvicorn
from tortoise.backends.base.client import BaseDBAsyncClient

from config.app import create_app
from config.settings import Settings

HERE = Path(__file__).parent
NODE_MAJOR = 20


def _node() -> str:
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        pytest.skip(f"the contract tests need Node.js {NODE_MAJOR} or later with npm: none is here")
    version = subprocess.run([node, "--version"], check=True, capture_output=True, text=True).stdout
    if int(version.strip().lstrip("v").split(".")[0]) < NODE_MAJOR:
        pytest.skip(f"the contract tests need Node.js {NODE_MAJOR} or later: this is {version}")
    return node


@pytest.fixture(scope="session")
def node() -> str:
    """The path of a Node.js that is new enough, beside the packages that the tests use."""
    path = _node()
    installed = HERE / "node_modules" / ".package-lock.json"
    lock = HERE / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        subprocess.run(["npm", "ci", "--silent"], cwd=HERE, check=True)
    return path


@pytest.fixture
async def server_url(settings: Settings, database: BaseDBAsyncClient) -> AsyncIterator[str]:
    """The address of the API, served over a socket by uvicorn in this process."""
    config = uvicorn.Config(
        create_app(settings), port=0, log_config=None, ws="websockets-sansio", lifespan="off"
    )
    app = config.app
    server = uvicorn.Server(config)
    async with app.router.lifespan_context(app):
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}/graphql"
        server.should_exit = True
        await serving


class RunNode(Protocol):
    """Runs a script of this folder; gives what it printed, as JSON."""

    async def __call__(self, script: str, *arguments: str) -> Any:
        """Raises AssertionError where the script fails."""


@pytest.fixture
def run_node(node: str) -> RunNode:
    """Runs scripts with Node.js."""

    async def run(script: str, *arguments: str) -> Any:
        process = await asyncio.create_subprocess_exec(
            node,
            str(HERE / script),
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 0, err.decode()
        return json.loads(out)

    return run
