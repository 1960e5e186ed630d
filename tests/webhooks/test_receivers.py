"""The receivers in docs/webhooks.md take what is sent, once, and refuse everything else."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from models.identifiers import new_id
from tests.webhooks.documented import example
from tests.webhooks.world import Hooks


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


@asynccontextmanager
async def running(
    *command: str, port: int, secret: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A receiver that listens."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, "WEBHOOK_SECRET": secret, "PORT": str(port)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(300):  # the one in TypeScript is compiled first
            while True:
                try:
                    _reader, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    assert process.returncode is None, "it has ended"
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    await writer.wait_closed()
                    break
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def takes_messages_once(hooks: Hooks, *command: str) -> None:
    """What is documented of a receiver holds for the program that `command` runs."""
    port = free_port()
    endpoint = await hooks.endpoint(f"http://127.0.0.1:{port}/")
    secret = hooks.secrets[endpoint.id]
    async with running(*command, port=port, secret=secret) as process:
        assert process.stdout is not None
        objects = [new_id(), new_id()]
        for one in objects:
            await hooks.happen(one)
            await hooks.deliver()
        # The same messages again, as after a crash of the worker.
        await hooks.again()
        await hooks.deliver()
        last = await hooks.happen(new_id())
        await hooks.deliver()
        assert set(await hooks.statuses()) == {"DELIVERED"}
        async with asyncio.timeout(60):
            said = [(await process.stdout.readline()).decode().strip() for _ in range(3)]
        assert said == [f"customer.updated {one}" for one in [*objects, *last]]
        async with httpx.AsyncClient() as client:
            forged = await client.post(
                str(endpoint.url),
                content=b"{}",
                headers={
                    "webhook-id": "msg_1",
                    "webhook-timestamp": "1",
                    "webhook-signature": "v1,AAAA",
                },
            )
        assert forged.status_code == 401


async def test_the_receiver_in_python(hooks: Hooks, tmp_path: Path) -> None:
    program = tmp_path / "receiver.py"
    program.write_text(example("python"))
    await takes_messages_once(hooks, sys.executable, str(program))
