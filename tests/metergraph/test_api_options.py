"""Where a command finds the API, and a token for it."""

from pathlib import Path

import click
import pytest

from config.settings import Settings
from metergraph import arguments
from metergraph.arguments import Api, find_api
from metergraph.embedded import Addresses


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "demo-token").write_text("mg_demo\n")
    return Settings(data_dir=tmp_path, port=9000)


def run_at(monkeypatch: pytest.MonkeyPatch, api_url: str | None) -> None:
    addresses = Addresses(1, "postgresql://x", "redis://x", api_url)
    monkeypatch.setattr(arguments, "running_addresses", lambda _data_dir: addresses)


def test_a_running_api_is_used_with_the_demos_token(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_at(monkeypatch, "http://127.0.0.1:8123")
    assert find_api(settings, None, None) == Api("http://127.0.0.1:8123", "mg_demo")
    assert find_api(settings, None, "mg_own") == Api("http://127.0.0.1:8123", "mg_own")


def test_the_demos_token_is_used_for_no_other_api(settings: Settings) -> None:
    with pytest.raises(click.UsageError, match="--token or METERGRAPH_TOKEN"):
        find_api(settings, "http://elsewhere", None)
    assert find_api(settings, "http://elsewhere", "mg_own") == Api("http://elsewhere", "mg_own")


def test_a_token_alone_is_for_the_api_of_this_machine(settings: Settings) -> None:
    assert find_api(settings, None, "mg_own") == Api("http://127.0.0.1:9000", "mg_own")


def test_without_a_running_api_the_command_fails_at_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(click.ClickException, match=r"is not running on /.* `metergraph dev`"):
        find_api(settings, None, None)
    run_at(monkeypatch, None)  # a command's servers, without an API
    with pytest.raises(click.ClickException, match="is not running"):
        find_api(settings, None, None)
