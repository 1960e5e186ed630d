"""deploy/Containerfile and deploy/compose.yaml name only commands and settings that exist."""

import json
import re
from pathlib import Path
from typing import Any

import yaml
from click import Context

from config.settings import Settings, variable_name
from metergraph.cli import cli

ROOT = Path(__file__).parents[2]
CONTAINERFILE = (ROOT / "deploy" / "Containerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("migrate", "api", "worker")


def test_the_commands_and_settings_are_there() -> None:
    [default] = re.findall(r"^CMD (\[.*\])$", CONTAINERFILE, re.MULTILINE)
    for command in (json.loads(default), *(SERVICES[name]["command"] for name in OURS)):
        found = cli.get_command(Context(cli), command[0])
        assert found is not None
        found.make_context(command[0], command[1:])
    named = {name for service in OURS for name in SERVICES[service]["environment"]}
    named |= set(re.findall(r"METERGRAPH_[A-Z_]+", CONTAINERFILE))
    assert named <= {variable_name(field) for field in Settings.model_fields}


def test_an_image_can_be_built_with_traces() -> None:
    assert re.findall(r"^ARG LOCK=(.*)$", CONTAINERFILE, re.MULTILINE) == ["requirements.txt"]
    [copied] = re.findall(r"^COPY (requirements.*) \./$", CONTAINERFILE, re.MULTILINE)
    for lock in ("requirements.txt", "requirements-tracing.txt"):
        assert lock in copied.split()
        assert (ROOT / lock).is_file()
    page = (ROOT / "docs" / "installation.md").read_text()
    assert "--build-arg LOCK=requirements-tracing.txt" in page


def test_the_api_and_workers_start_on_a_migrated_database() -> None:
    for name in ("api", "worker"):
        assert SERVICES[name]["depends_on"] == {
            "migrate": {"condition": "service_completed_successfully"},
            "valkey": {"condition": "service_healthy"},
        }
    assert SERVICES["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for name in ("postgres", "valkey"):
        assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"
    assert COMPOSE["volumes"].keys() == {"postgres"}


def test_images_are_of_a_named_minor_version() -> None:
    bases = re.findall(r"^FROM (\S+)", CONTAINERFILE, re.MULTILINE)
    for image in (*bases, *(service["image"] for service in SERVICES.values())):
        assert re.search(r":\d+\.\d+", image), image
    assert len(set(bases)) == 1


def test_nothing_of_ours_runs_as_root_or_may_become_it() -> None:
    final = CONTAINERFILE.rpartition("FROM")[2]
    assert re.findall(r"^USER (\d+)$", final, re.MULTILINE) == ["10001"]
    for name in OURS:
        service = SERVICES[name]
        assert "user" not in service
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["read_only"] is True


def test_the_image_is_built_from_the_lock_with_its_hashes() -> None:
    installs = re.findall(r"^RUN pip install (.*)$", CONTAINERFILE, re.MULTILINE)
    assert len(installs) == 2
    assert all("--no-deps" in install for install in installs)
    assert "--require-hashes" in installs[0]
    assert installs[0].endswith('-r "$LOCK"')
