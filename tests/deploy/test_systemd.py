"""The units in deploy/systemd, as systemd reads them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click import Context

from metergraph.cli import cli

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"
INSTANCES = {
    "metergraph-api@.service": "metergraph-api@8000.service",
    "metergraph-worker@.service": "metergraph-worker@1.service",
    "metergraph-migrate.service": "metergraph-migrate.service",
}
ANALYZE = shutil.which("systemd-analyze")


def test_the_units_run_commands_that_there_are() -> None:
    assert {path.name for path in UNITS.iterdir()} == set(INSTANCES)
    for name in INSTANCES:
        unit = (UNITS / name).read_text()
        [(command, options)] = re.findall(
            r"^ExecStart=\S+/metergraph (\w+)(.*)$", unit, re.MULTILINE
        )
        found = cli.get_command(Context(cli), command)
        assert found is not None
        found.make_context(command, options.replace("%i", "8000").split(), resilient_parsing=False)
        assert "\nUser=metergraph\n" in unit


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("name", INSTANCES)
def test_systemd_accepts_the_units_and_finds_them_closed(name: str, tmp_path: Path) -> None:
    unit = tmp_path / INSTANCES[name]
    # Metergraph is not installed on this machine; systemd looks whether the program is there.
    unit.write_text(
        (UNITS / name).read_text().replace("/opt/metergraph/bin/metergraph", sys.executable)
    )
    for command in (["verify"], ["security", "--offline=true", "--threshold=20"]):
        done = subprocess.run(
            [str(ANALYZE), *command, "--no-pager", str(unit)],
            check=False,
            capture_output=True,
            text=True,
        )
        if "Unknown option" in done.stderr or "unrecognized option" in done.stderr:
            pytest.skip("systemd is older than 250")
        assert done.returncode == 0, done.stdout + done.stderr
        # What it does not understand is a warning; what is wrong with other units is theirs.
        assert [line for line in done.stderr.splitlines() if unit.name in line] == []
