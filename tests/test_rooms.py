"""The import contract refuses every import between rooms that is not on its list."""

import tomllib
from pathlib import Path
from typing import Any

import grimp
import pytest

from scripts.rooms import RoomsContract

PROJECT = Path(__file__).parent.parent


def listed() -> dict[str, Any]:
    settings: dict[str, Any] = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]
    [contract] = [one for one in settings["importlinter"]["contracts"] if one["type"] == "rooms"]
    return {"may_import": contract["may_import"]}


@pytest.mark.parametrize(
    ("importer", "imported", "kept"),
    [
        ("billing.cycle", "metering.log", True),
        ("metering.log", "metering.usage", True),
        ("resolvers.schema", "transport.limits", True),
        ("metering.log", "billing.cycle", False),
        ("workers.jobs", "transport.limits", False),
        ("resolvers.queries", "transport.limits", False),
        ("billing.cycle", "newcomer", False),  # a room without a line may not be imported
        ("newcomer", "config.clock", False),  # and imports nothing
    ],
)
def test_only_listed_imports_are_kept(importer: str, imported: str, *, kept: bool) -> None:
    graph = grimp.ImportGraph()
    graph.add_import(importer=importer, imported=imported)
    contract = RoomsContract("rooms", {}, listed())
    assert contract.check(graph, verbose=False).kept is kept
