"""Everything that the README tells a newcomer to type is run here, in its order."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from config.settings import Settings
from tests.websocket_client import connected_to, subscribe

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BIN = Path(sys.executable).parent
LONG_RUNNING = ("metergraph api", "metergraph worker")

pytestmark = pytest.mark.servers


def blocks(*languages: str) -> list[tuple[str, str]]:
    """The fenced blocks of the README in some languages, in order."""
    found = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return [(language, text) for language, text in found if language in languages]


@dataclass(frozen=True)
class Running:
    """What `make run` starts, in a folder of its own."""

    folder: Path
    url: str
    token: str

    def shell(self, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Runs what somebody would type in that folder."""
        return subprocess.run(
            ["bash", "-ec", script.replace("http://127.0.0.1:8000", self.url)],
            cwd=self.folder,
            env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", **environment},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("readme")
    (folder / ".venv").symlink_to(BIN.parent)
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    with subprocess.Popen(
        ["metergraph", "dev", "--port", "0"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if "Ctrl-C" in line:
                break
        try:
            yield Running(
                folder,
                re.findall(r"http://[\d.]+:\d+", said)[0],
                re.findall(r"mg_\S+", said)[0],
            )
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=180) == 0


def test_make_run_is_metergraph_dev() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert "metergraph dev $(ARGS)" in makefile
    assert ("console", "$ make run\n") in blocks("console")


@pytest.fixture(scope="module")
async def walk(running: Running) -> dict[str, Any]:
    """The answers to the README's operations, by name, after running all of it in its order."""
    answers: dict[str, Any] = {}
    ids: dict[str, str] = {}
    headers = {"Authorization": f"Bearer {running.token}"}
    async with httpx.AsyncClient(base_url=running.url, headers=headers, timeout=120) as client:
        for language, text, variables in steps():
            if language == "csv":
                (running.folder / "calls.csv").write_text(text)
                continue
            if language == "console":
                run_commands(running, text)
                continue
            request = {"query": text, "variables": {**ids, **variables}}
            (name,) = re.findall(r"^(?:query|mutation|subscription) (\w+)", text, re.MULTILINE)
            if text.startswith("subscription"):
                answers[name] = await first_of(running, request)
            else:
                answers[name] = (await client.post("/graphql", json=request)).json()
            assert "errors" not in answers[name], answers[name]
            ids |= ids_in(answers[name]["data"])
            # What a reader does next takes longer than counting does.
            await counted(client)
    return answers


def steps() -> list[tuple[str, str, dict[str, Any]]]:
    """Language, text and variables of what the README has one do, in its order."""
    found: list[tuple[str, str, dict[str, Any]]] = []
    for language, text in blocks("console", "csv", "graphql", "json"):
        if language == "json":
            found[-1] = (*found[-1][:2], json.loads(text))
        elif "make run" not in text and "METERGRAPH_DATABASE_URL" not in text:
            found.append((language, text, {}))
    return found


def ids_in(data: dict[str, Any]) -> dict[str, str]:
    """The ids that a reader would put in: of the meter, benefit, product and subscription."""
    if "meters" in data:
        meters = {node["name"]: node.get("id") for node in data["meters"]["nodes"]}
        return {"meter": meters["AI usage"]} if meters.get("AI usage") else {}
    made = next(iter(data.values()))
    return {
        kind: made[kind]["id"]
        for kind in ("benefit", "product", "subscription")
        if isinstance(made.get(kind), dict)
    }


async def counted(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(120):
        # Whoever has no time to look does not know.
        while (await client.get("/readyz")).json()["counting"].get("pendingBatches") != 0:  # noqa: ASYNC110  # of another process
            await asyncio.sleep(0.05)


def run_commands(running: Running, text: str) -> None:
    command, expected = split(text.replace("--duration 10", "--duration 1"))
    done = running.shell(command)
    assert done.returncode == 0, (command, done.stderr)
    if expected.startswith("{"):
        assert json.loads(done.stdout) == json.loads(expected)
    elif expected:
        assert without_times(done.stdout.strip()) == without_times(expected)


def without_times(text: str) -> str:
    return re.sub(r"\d+\.\d s", "… s", text)


async def first_of(running: Running, request: dict[str, Any]) -> dict[str, Any]:
    async with connected_to(running.url, running.token) as socket:
        await subscribe(socket, "1", request["query"], **request["variables"])
        message: dict[str, Any] = json.loads(await socket.recv())
        assert message["type"] == "next", message
        return dict(message["payload"])


async def test_the_walk_from_meter_to_live_usage(walk: dict[str, Any]) -> None:
    created = walk["CreateMeter"]["data"]["meterCreate"]
    assert created["meter"]["name"] == "Model tokens"
    assert created["userErrors"] == []
    ingested = walk["Ingest"]["data"]["eventsIngest"]
    assert (ingested["inserted"], ingested["userErrors"]) == (2, [])
    meters = {meter["name"]: meter for meter in walk["Usage"]["data"]["meters"]["nodes"]}
    assert "Model tokens" in meters
    quantities = meters["Model tokens"]["quantities"]
    assert len(quantities["points"]) == 30
    groups = {group["values"][0]["value"]: group["total"] for group in quantities["groups"]}
    assert int(groups["gpt-4.1"]) >= 1204
    assert sum(map(int, groups.values())) == int(quantities["total"])
    update = walk["Live"]["data"]["usageUpdated"]
    assert update["cursor"]
    assert update["customerMeter"]["meter"]["name"] in {
        *("AI usage", "Video streaming", "File upload", "Storage"),
        "Model tokens",
    }


async def test_from_product_to_invoice(walk: dict[str, Any]) -> None:
    for name in ("Included", "Plan", "Customer", "Subscribe", "Use"):
        (payload,) = walk[name]["data"].values()
        assert payload["userErrors"] == []
    customer = walk["Charges"]["data"]["customer"]
    usage = {node["meter"]["name"]: node for node in customer["meters"]["nodes"]}
    assert usage["AI usage"]["balance"] == "-150000"
    (subscription,) = customer["subscriptions"]["nodes"]
    upcoming = subscription["upcomingInvoice"]
    lines = [line for line in upcoming["lines"] if line["kind"] == "METERED"]
    assert [(line["consumedUnits"], line["billableUnits"], line["amount"]) for line in lines] == [
        ("250000", "0", 0),
        ("900000", "150000", 30),
    ]
    preview = walk["Preview"]["data"]["subscriptionChangePreview"]
    assert [line["kind"] for line in preview["lines"]] == ["METERED"] * 2 + ["PRORATION"] * 2
    covered, used, unused, remaining = (line["amount"] for line in preview["lines"])
    assert (covered, used, unused + remaining) == (0, 30, pytest.approx(2000, abs=2))
    invoices = walk["Invoices"]["data"]["customer"]["invoices"]["nodes"]
    assert sorted(invoice["total"] for invoice in invoices) == [2000, 2030]


def split(text: str) -> tuple[str, str]:
    """A console block as a script, and what it says that comes out."""
    joined = text.replace("\\\n", " ")
    commands = [line[2:] for line in joined.splitlines() if line.startswith("$ ")]
    output = [line for line in joined.splitlines() if not line.startswith("$ ")]
    return "\n".join(commands), "\n".join(output)


@pytest.mark.slow
async def test_the_commands_of_production(
    running: Running, settings: Settings, fresh_database: object
) -> None:
    (text,) = (text for _, text in blocks("console") if "METERGRAPH_DATABASE_URL" in text)
    command, _ = split(text)
    lines = command.splitlines()
    environment = {
        "METERGRAPH_DATABASE_URL": str(settings.database_url),
        "METERGRAPH_REDIS_URL": str(settings.redis_url),
    }
    for line in lines:
        if line.startswith("export"):
            assert line.split("=")[0].removeprefix("export ") in environment
        elif line.startswith(LONG_RUNNING):
            script = f"timeout -s TERM 3 {line.replace('8000', '0')}"
            done = running.shell(script, **environment)
            assert done.returncode == 124, (line, done.stderr)  # it ran until it was told to end
        else:
            done = running.shell(line, **environment)
            assert done.returncode == 0, (line, done.stderr)


def test_every_setting_is_listed() -> None:
    table = README.split("<!-- settings: begin -->\n")[1].split("<!-- settings: end -->")[0]
    assert table == settings_table()


def settings_table() -> str:
    rows = ["| variable | default | what it is |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = field.default
        if isinstance(default, tuple):
            default = ",".join(default) or None
        shown = "" if default is None else f"`{getattr(default, 'value', default)}`"
        description = (field.description or "").replace("|", "\\|")
        rows.append(f"| `METERGRAPH_{name.upper()}` | {shown} | {description} |")
    return "\n".join(rows) + "\n"
