"""What the tests of clients look at: the server that they use, and what it has stored."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from metergraph_client import Event, Metergraph, Rejection
from models import Event as StoredEvent
from models import Organization
from tests.api_process import Process

CLIENT = Path(__file__).parents[2] / "clients" / "python"
SECONDS = 120.0


@dataclass
class World:
    """A running API, and a token of an organization of the test's own."""

    api: Process
    organization: Organization
    token: str
    programs: "list[subprocess.Popen[str]]" = field(default_factory=list)

    @property
    def url(self) -> str:
        """Such as http://127.0.0.1:40123."""
        return self.api.url

    async def stored(self) -> list[str | None]:
        """The external ids of all events, sorted: one that is stored twice is there twice."""
        rows = await StoredEvent.filter(organization_id=self.organization.id).values("external_id")
        return sorted(row["external_id"] for row in rows)

    def program(self, text: str, url: str | None = None) -> "subprocess.Popen[str]":
        """Starts a Python program that finds the API in its environment."""
        program = subprocess.Popen(
            [sys.executable, "-c", text],
            env={
                **os.environ,
                "PYTHONPATH": str(CLIENT),
                "METERGRAPH_API_URL": url or self.url,
                "METERGRAPH_TOKEN": self.token,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.programs.append(program)
        return program

    def end_programs(self) -> None:
        """Kills the programs that still run, and the processes that they forked."""
        for program in self.programs:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)


@dataclass
class Told:
    """What a client has said that it could not deliver."""

    rejections: list[Rejection] = field(default_factory=list)
    undelivered: list[tuple[Event, str]] = field(default_factory=list)

    def on_rejected(self, rejections: Any) -> None:
        self.rejections += rejections

    def on_undelivered(self, events: Any, reason: str) -> None:
        self.undelivered += [(event, reason) for event in events]


MakeClient = Callable[..., Metergraph]


def has_poison(body: bytes) -> bool:
    """Whether a body has an event that is named poison."""
    return any(
        event["name"] == "poison" for event in json.loads(body)["variables"]["input"]["events"]
    )
