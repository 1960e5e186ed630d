"""The lock files: every version has hashes, and no file names an index."""

import json
import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent.parent
NODE_FOLDERS = ("clients/typescript", "tests/contract", "web")
LOCKS = ("requirements.txt", "requirements-tracing.txt", "requirements-dev.txt")


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_version_has_hashes_and_no_address(name: str) -> None:
    text = (PROJECT / name).read_text()
    assert "://" not in text
    assert "--index-url" not in text
    assert "--find-links" not in text
    requirements = re.split(r"\n(?=\S)", text.strip())
    assert len(requirements) > 40
    for requirement in requirements:
        assert re.match(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==\S+", requirement), requirement
        assert "--hash=sha256:" in requirement


def test_all_locks_have_the_same_versions() -> None:
    def versions(name: str) -> set[str]:
        return set(re.findall(r"^(\S+==\S+)", (PROJECT / name).read_text(), re.MULTILINE))

    least, tracing, most = map(versions, LOCKS)
    assert least < tracing < most


def test_no_lock_of_node_packages_names_a_registry() -> None:
    locks = [PROJECT / folder / "package-lock.json" for folder in NODE_FOLDERS]
    for lock in locks:
        packages = json.loads(lock.read_text())["packages"]
        assert len(packages) > 40
        assert not [name for name, package in packages.items() if "resolved" in package]
