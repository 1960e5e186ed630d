"""The committed build of the web pages: made of the sources that are here, and whole."""

import gzip
import hashlib
import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from metergraph.asgi.pages import PAGES, assets_version

PROJECT = Path(__file__).parents[2]
ASSETS = PAGES / "assets"
NOT_BUILT = {"web/node_modules", "web/src/api/generated", "web/src/gallery", "web/e2e"}
BUDGETS = {"dashboard": 250_000, "portal": 120_000}


@pytest.fixture
def build() -> dict[str, Any]:
    made: dict[str, Any] = json.loads((PAGES / "build.json").read_text())
    return made


def listed(files: Iterable[tuple[str, Path]]) -> str:
    """The SHA-256 of what `sha256sum` prints of files, in the order of their names."""
    lines = (
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}\n" for name, path in sorted(files)
    )
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def sources() -> Iterable[tuple[str, Path]]:
    """What the build is made of, as web/README.md lists it."""
    yield "schema.graphql", PROJECT / "schema.graphql"
    for where, folders, names in os.walk(PROJECT / "web"):
        folder = Path(where)
        below = folder.relative_to(PROJECT)
        folders[:] = [each for each in folders if str(below / each) not in NOT_BUILT]
        for name in names:
            is_ours = not name.startswith(".") and name != "biome.json"
            if is_ours and not name.endswith((".test.ts", ".test.tsx", ".md")):
                yield str(below / name), folder / name


def test_is_made_of_these_sources(build: dict[str, Any]) -> None:
    assert build["sources"] == listed(sources()), "Run `npm run build` in web/ and commit the pages"


def test_is_not_changed_by_hand(build: dict[str, Any]) -> None:
    assert build["version"] == assets_version(ASSETS)


@pytest.mark.parametrize("page", ["dashboard", "portal", "graphiql"])
def test_a_page_loads_files_of_this_build_only(build: dict[str, Any], page: str) -> None:
    html = (PAGES / f"{page}.html").read_text()
    loaded = re.findall(r'(?:src|href)="([^"]+)"', html.replace('<base href="/">', ""))
    prefix = f"assets/{build['version']}/"
    assert f"{prefix}{page}.js" in loaded
    for address in loaded:
        assert address.startswith(prefix)
        assert (ASSETS / address.removeprefix(prefix)).is_file()
    # The Content-Security-Policy lets nothing inline run.
    assert re.findall(r"<script[^>]*>(.*?)</script>", html, re.DOTALL) == [""]
    assert "<style" not in html


@pytest.mark.parametrize(("page", "budget"), BUDGETS.items())
def test_a_first_visit_is_light(build: dict[str, Any], page: str, budget: int) -> None:
    files = build["firstLoads"][page]["files"]
    assert sum(len(gzip.compress((PAGES / name).read_bytes())) for name in files) <= budget


def test_has_no_source_maps() -> None:
    for path in ASSETS.glob("*.js"):
        assert "sourceMappingURL" not in path.read_text()
