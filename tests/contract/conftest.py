"""A real server for what others wrote, and the Node.js programs that run their clients."""

import asyncio
import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from arq.connections import ArqRedis
from tortoise.backends.base.client import BaseDBAsyncClient

from config.settings import Settings
from models import Organization
from tests.contract.server import HERE, SECONDS, RunNode, Server, counted
from tests.serving import new_token, served

NODE_MAJOR = 20


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here is a contract test."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.contract)


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
    wanted = HERE / "package-lock.json"
    # Other processes of the test run need the packages, too.
    with wanted.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not installed.exists() or installed.stat().st_mtime < wanted.stat().st_mtime:
            subprocess.run(["npm", "ci", "--silent"], cwd=HERE, check=True)
            installed.touch()
    return path


@pytest.fixture
async def server(
    settings: Settings, database: BaseDBAsyncClient, organization: Organization, redis: ArqRedis
) -> AsyncIterator[Server]:
    """The API and what a worker does, in this process."""
    async with served(settings) as url, counted(redis, organization.id):
        yield Server(f"{url}/graphql", await new_token(organization))


@pytest.fixture
def run_node(node: str) -> RunNode:
    """Runs programs with Node.js."""

    async def run(*arguments: str, token: str = "", folder: Path = HERE) -> Any:
        process = await asyncio.create_subprocess_exec(
            node,
            *arguments,
            cwd=folder,
            env={**os.environ, "METERGRAPH_TOKEN": token, "NODE_ENV": "production"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            out, err = await asyncio.wait_for(process.communicate(), SECONDS)
        except TimeoutError:
            process.kill()
            out, err = await process.communicate()
            pytest.fail(f"{arguments[0]} took longer than {SECONDS} s: {(out + err).decode()}")
        assert process.returncode == 0, (out + err).decode()
        return json.loads(out)

    return run
