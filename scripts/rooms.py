"""The import contract of `pyproject.toml`: each room imports only what `may_import` lists.

A line is `importer: rooms`. The importer is a room, or a single module with a reason of its own.
import-linter's own contracts are no allow-list by importer: `layers` lets a room import every room
below it, and `protected` does not notice a room that no contract names.
"""

from typing import Any

import grimp
from importlinter import Contract, ContractCheck, fields, output


class RoomsContract(Contract):
    """Breaks for every import between two rooms that `may_import` does not list."""

    may_import: Any = fields.ListField(subfield=fields.StringField())

    def check(self, graph: grimp.ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002  # import-linter's signature
        """Collects the imports that are not listed."""
        allowed = {
            importer.strip(): set(rooms.split())
            for importer, _, rooms in (line.partition(":") for line in self.may_import)
        }
        forbidden = [
            f"{importer} imports {imported}"
            for importer in sorted(graph.modules)
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if _room(importer) != _room(imported)
            and _room(imported) not in allowed.get(_room(importer), set())
            and _room(imported) not in allowed.get(importer, set())
        ]
        return ContractCheck(kept=not forbidden, metadata={"forbidden": forbidden})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Prints them."""
        for line in check.metadata["forbidden"]:
            output.print_error(line, bold=False)


def _room(module: str) -> str:
    return module.partition(".")[0]
