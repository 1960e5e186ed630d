"""Pages in Chromium: where their sockets lead, and what their cookies are good for."""

import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from config.settings import Settings
from metergraph.asgi.listening import listen
from models import Organization
from tests.serving import new_token, served

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
FETCH = """
fetch("%s", {
  method: "%s", body: %s,
  headers: {"Content-Type": "application/json", "X-Metergraph-Client": "dashboard"},
}).then((answer) => String(answer.status))
"""
FETCH_JSON = """
fetch("/graphql", {
  method: "POST", body: %s,
  headers: {"Content-Type": "application/json", "X-Metergraph-Client": "dashboard"},
}).then((answer) => answer.json()).then((answer) => JSON.stringify(answer.data))
"""
BEGIN = """
new Promise((resolve) => {
  const socket = new WebSocket(%s, "graphql-transport-ws");
  const init = {type: "connection_init", payload: {client: "dashboard"}};
  socket.onopen = () => socket.send(JSON.stringify(init));
  socket.onmessage = (event) => resolve(JSON.parse(event.data).type);
  socket.onclose = (event) => resolve(event.code === 4403 ? "4403" : "closed");
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


class Tab:
    """A page in Chromium."""

    def __init__(self, browser: ClientConnection) -> None:
        self._browser = browser
        self._numbers = count(1)
        self._session: dict[str, str] = {}
        self._events: set[str] = set()

    async def open(self, url: str) -> None:
        """Goes to an address, in a tab of its own, and waits until it is loaded."""
        target = await self._command("Target.createTarget", url="about:blank")
        attached = await self._command("Target.attachToTarget", **target, flatten=True)
        self._session = {"sessionId": attached["sessionId"]}
        await self._command("Page.enable")
        self._events.clear()
        await self._command("Page.navigate", url=url)
        while "Page.loadEventFired" not in self._events:
            await self._receive()

    async def evaluate(self, expression: str) -> Any:
        """What an expression, or its promise, comes to."""
        result = await self._command("Runtime.evaluate", expression=expression, awaitPromise=True)
        return result["result"].get("value")

    async def _command(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params, **self._session}
        await self._browser.send(json.dumps(message))
        while (answer := await self._receive()).get("id") != number:
            pass  # an event
        assert "result" in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    async def _receive(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(await self._browser.recv())
        self._events.add(str(message.get("method")))
        return message


async def test_its_sockets_lead_to_this_origin_only(
    settings: Settings, organization: Organization, debugger: str
) -> None:
    async with served(settings) as url, connect(debugger, max_size=None) as browser:
        tab = Tab(browser)
        await tab.open(f"{url}/graphql")
        ready = "document.querySelector('.graphiql-container') !== null"
        while await tab.evaluate(ready) is not True:
            pass  # the page is loading
        assert await tab.evaluate(OPEN % "`ws://${location.host}/graphql`") == "open"
        with listen("127.0.0.1", 0) as elsewhere:
            address = json.dumps(f"ws://127.0.0.1:{elsewhere.getsockname()[1]}/graphql")
            assert await tab.evaluate(OPEN % address) == "connect-src"


async def test_a_page_signs_in_and_goes_by_its_cookie(
    settings: Settings, organization: Organization, debugger: str
) -> None:
    token = await new_token(organization)
    async with served(settings) as url, connect(debugger, max_size=None) as browser:
        tab = Tab(browser)
        await tab.open(f"{url}/graphql")
        signing_in = json.dumps(json.dumps({"token": token}))
        assert await tab.evaluate(FETCH % ("/session", "POST", signing_in)) == "200"
        assert await tab.evaluate("document.cookie") == ""  # no script reads it
        asking = json.dumps(json.dumps({"query": "{ me { scopes } }"}))
        asked = FETCH_JSON % asking
        assert await tab.evaluate(asked) == '{"me":{"scopes":["ADMIN"]}}'
        watching = BEGIN % json.dumps(f"{url.replace('http', 'ws')}/graphql")
        assert await tab.evaluate(watching) == "connection_ack"

        stranger = Tab(browser)
        await stranger.open("data:text/html,a page of another origin")
        assert await stranger.evaluate(watching) == "closed"

        assert await tab.evaluate(FETCH % ("/session", "DELETE", "undefined")) == "204"
        assert await tab.evaluate(asked) == "null"
        assert await tab.evaluate(watching) == "4403"
