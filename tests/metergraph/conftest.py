"""`metergraph` as a person runs it: on this test's servers, or against the API in this process."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from config.settings import Settings
from models import Organization
from schema.context import Scope
from tests.commands import Result, environment_of, run_command
from tests.metergraph.running import ROWS, RunImport, RunMetergraph
from tests.serving import new_token, served


@pytest.fixture
def run_metergraph(settings: Settings, tmp_path: Path) -> RunMetergraph:
    """Runs a command elsewhere than here; gives its exit code, and what it logs and prints."""

    async def run(*arguments: str) -> tuple[int, str]:
        done = await asyncio.to_thread(
            run_command, *arguments, environment=environment_of(settings), directory=tmp_path
        )
        return done.code, done.err + done.out

    return run


@pytest.fixture
async def run_import(
    settings: Settings, organization: Organization, tmp_path: Path
) -> AsyncIterator[RunImport]:
    """Runs the command in its own process, against the API in this one."""
    async with served(settings) as url:
        environment = {
            "METERGRAPH_API_URL": url,
            "METERGRAPH_TOKEN": await new_token(organization, Scope.EVENTS_WRITE),
        }

        async def run(*arguments: object, **more: str) -> Result:
            return await asyncio.to_thread(
                run_command,
                "import",
                *map(str, arguments),
                environment={**environment, **more},
                directory=tmp_path,
            )

        yield run


@pytest.fixture
def invocations(tmp_path: Path) -> Path:
    """Invocations of a language model: no offsets, 100 ns digits, CRLF."""
    start = datetime(2023, 11, 16, 18, 15, 46, 680_590)  # noqa: DTZ001  # as such files are
    lines = ["TIMESTAMP,ContextTokens,GeneratedTokens"]
    lines += [
        f"{start + timedelta(seconds=number, microseconds=number)}0,{374 + number},{number % 200}"
        for number in range(ROWS)
    ]
    path = tmp_path / "invocations.csv"
    path.write_text("\r\n".join(lines) + "\r\n")
    return path
