"""The Python client is a package of its own, which needs nothing of the server."""

import ast
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

from tests.clients.world import CLIENT

PACKAGE = CLIENT / "metergraph_client"


def test_imports_nothing_but_itself_httpx_and_the_standard_library() -> None:
    imported = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0
                imported.add(str(node.module).partition(".")[0])
    assert imported - set(sys.stdlib_module_names) == {"httpx", "metergraph_client"}
    project = tomllib.loads((CLIENT / "pyproject.toml").read_text())["project"]
    assert [one.partition(">")[0] for one in project["dependencies"]] == ["httpx"]


def test_its_wheel_has_all_modules_types_licence_and_readme(tmp_path: Path) -> None:
    build = "from setuptools import build_meta; import sys; build_meta.build_wheel(sys.argv[1])"
    copy = tmp_path / "source"
    for path in [*PACKAGE.rglob("*.py"), PACKAGE / "py.typed"]:
        place = copy / path.relative_to(CLIENT)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(path.read_bytes())
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        (copy / name).write_bytes((CLIENT / name).read_bytes())
    done = subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    [wheel] = tmp_path.glob("metergraph_client-*.whl")
    with zipfile.ZipFile(wheel) as opened:
        names = opened.namelist()
        modules = {name for name in names if name.startswith("metergraph_client/")}
        assert modules == {
            str(path.relative_to(CLIENT))
            for path in PACKAGE.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        [metadata] = [opened.read(name).decode() for name in names if name.endswith("METADATA")]
        assert any(name.endswith("licenses/LICENSE") for name in names)
    assert "# metergraph-client" in metadata
