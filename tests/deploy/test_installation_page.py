"""docs/installation.md names only settings, files and commands that exist."""

import re
import shlex
from pathlib import Path

from click import Context, Group

from config.settings import Settings, variable_name
from metergraph.cli import cli

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "installation.md").read_text()


def test_its_settings_and_files_are_there() -> None:
    settings = {variable_name(field) for field in Settings.model_fields}
    assert set(re.findall(r"METERGRAPH_[A-Z_]+[A-Z]", PAGE)) <= settings
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", PAGE)]
    assert links
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []


def test_its_commands_are_understood() -> None:
    joined = PAGE.replace("\\\n", "")
    lines = re.findall(r"(?:/bin/metergraph|run --rm migrate) (\w.*)$", joined, re.MULTILINE)
    assert len(lines) == 3
    for line in lines:
        group, name, *options = shlex.split(line)
        commands = cli.get_command(Context(cli), group)
        assert isinstance(commands, Group)
        found = commands.get_command(Context(commands), name)
        assert found is not None
        found.make_context(name, options)
