"""schema.graphql with npm relay-compiler, and what it compiles with relay-runtime."""

import asyncio
import json
import shutil
from pathlib import Path

from tests.contract.server import HERE, SECONDS, RunNode, Server

SCHEMA = Path(__file__).parents[2] / "schema.graphql"


async def compiled(folder: Path, node: str) -> Path:
    """The programs of relay/ in `folder`, with what the compiler made of them."""
    shutil.copytree(HERE / "relay", folder / "relay")
    shutil.copy(SCHEMA, folder)
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "node_modules").symlink_to(HERE / "node_modules")
    config = {"src": "relay", "schema": "schema.graphql", "language": "javascript"}
    (folder / "relay.config.json").write_text(json.dumps({**config, "eagerEsModules": True}))
    process = await asyncio.create_subprocess_exec(
        node,
        str(HERE / "node_modules" / "relay-compiler" / "cli.js"),
        "relay.config.json",
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(process.communicate(), SECONDS)
    assert process.returncode == 0, said.decode()
    return folder / "relay"


async def test_connections_and_refetchable_fragments_compile_and_page(
    server: Server, node: str, run_node: RunNode, tmp_path: Path
) -> None:
    programs = await compiled(tmp_path, node)
    assert len(list((programs / "__generated__").glob("*.graphql.js"))) >= 8
    found = await run_node("relay.mjs", server.url, str(programs), token=server.token)
    assert found["pages"] == 3
    assert sorted(found["customers"]) == [f"c{index}" for index in range(5)]
    assert found["node"] == found["customers"][0]
