"""GraphiQL's page in Chromium opens sockets to its own origin only."""

import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from config.settings import Settings
from metergraph.asgi.listening import listen
from models import Organization
from tests.serving import served

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
OPEN = """
new Promise((resolve) => {
  const refused = (event) => resolve(event.effectiveDirective);
  document.addEventListener("securitypolicyviolation", refused);
  const socket = new WebSocket(%s, "graphql-transport-ws");
  socket.onopen = () => resolve("open");
})
"""


@pytest.fixture
async def debugger(tmp_path: Path) -> AsyncIterator[str]:
    """Where a Chromium without a window takes commands."""
    command = [str(CHROMIUM), "--headless=new", "--no-sandbox", "--disable-gpu"]
    command += ["--disable-dev-shm-usage", f"--user-data-dir={tmp_path / 'profile'}"]
    with subprocess.Popen(
        [*command, "--remote-debugging-port=0", "about:blank"], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        said = next(line for line in process.stderr if "DevTools listening on" in line)
        yield said.rpartition(" ")[2].strip()
        process.kill()


async def test_its_sockets_lead_to_this_origin_only(
    settings: Settings, organization: Organization, debugger: str
) -> None:
    numbers = count(1)
    async with served(settings) as url, connect(debugger, max_size=None) as browser:
        session: dict[str, str] = {}

        async def command(method: str, **params: Any) -> dict[str, Any]:
            number = next(numbers)
            await browser.send(
                json.dumps({"id": number, "method": method, "params": params, **session})
            )
            async for text in browser:
                message = json.loads(text)
                if message.get("id") == number:
                    result: dict[str, Any] = message["result"]
                    return result
            raise AssertionError

        async def evaluate(expression: str) -> Any:
            result = await command("Runtime.evaluate", expression=expression, awaitPromise=True)
            return result["result"].get("value")

        target = await command("Target.createTarget", url=f"{url}/graphql")
        attached = await command("Target.attachToTarget", **target, flatten=True)
        session["sessionId"] = attached["sessionId"]
        while await evaluate("document.querySelector('.graphiql-container') !== null") is not True:
            pass  # the page is loading
        assert await evaluate(OPEN % "`ws://${location.host}/graphql`") == "open"
        with listen("127.0.0.1", 0) as elsewhere:
            address = json.dumps(f"ws://127.0.0.1:{elsewhere.getsockname()[1]}/graphql")
            assert await evaluate(OPEN % address) == "connect-src"
