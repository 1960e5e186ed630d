"""`metergraph` as a person runs it: on this test's servers, or against the API in this process."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from config.settings import Settings
from models import Organization
from tests.serving import new_token, served

ROWS = 2_345
MAPPING = (
    *("--name", "ai_usage", "--customer", "customer-{row%10}"),
    *("--timestamp", "{TIMESTAMP}", "--assume-utc"),
    *("--number", "context_tokens={ContextTokens}"),
    *("--number", "generated_tokens={GeneratedTokens}"),
)


@dataclass
class Result:
    code: int
    out: str
    err: str


RunImport = Callable[..., Awaitable[Result]]
RunMetergraph = Callable[..., Awaitable[tuple[int, str]]]
_PROJECT = Path(__file__).parents[2]


@pytest.fixture
def run_metergraph(settings: Settings, tmp_path: Path) -> RunMetergraph:
    """Runs a command elsewhere than here; gives its exit code, and what is printed."""

    async def run(*arguments: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "config", *arguments),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            stdin=asyncio.subprocess.DEVNULL,
            cwd=tmp_path,
            env={
                **os.environ,
                "PYTHONPATH": str(_PROJECT),
                "METERGRAPH_DATABASE_URL": str(settings.database_url),
                "METERGRAPH_REDIS_URL": str(settings.redis_url),
            },
        )
        printed, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, printed.decode()

    return run


@pytest.fixture
async def run_import(settings: Settings, organization: Organization) -> AsyncIterator[RunImport]:
    """Runs the command in its own process, against the API in this one."""
    async with served(settings) as url:
        environment = {
            **os.environ,
            "METERGRAPH_API_URL": url,
            "METERGRAPH_TOKEN": await new_token(organization, "EVENTS_WRITE"),
        }

        async def run(*arguments: object, **more: str) -> Result:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "config", "import", *map(str, arguments)),
                env={**environment, **more},
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            out, err = await asyncio.wait_for(process.communicate(), 180)
            return Result(process.returncode or 0, out.decode(), err.decode())

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
