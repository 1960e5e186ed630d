"""Settings come from the environment, and a wrong one says which it is."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from config.settings import LogFormat, Settings, get_settings, variable_name


def test_without_an_environment_the_servers_are_embedded() -> None:
    settings = Settings()
    assert settings.database_url is None
    assert settings.redis_url is None
    assert settings.data_dir == Path(".metergraph")
    assert settings.port == 8000


def test_a_variable_sets_its_field(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METERGRAPH_PORT", "9000")
    monkeypatch.setenv("METERGRAPH_LOG_FORMAT", "json")
    monkeypatch.setenv("METERGRAPH_REDIS_URL", "")
    settings = Settings()
    assert (settings.port, settings.log_format) == (9000, LogFormat.JSON)
    assert settings.redis_url is None


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        ("https://a.example", ("https://a.example",)),
        ("https://a.example, https://b.example,", ("https://a.example", "https://b.example")),
        ("*", ("*",)),
        ("https://A.example/", ("https://a.example",)),
        (
            "capacitor://localhost,http://localhost:3000",
            ("capacitor://localhost", "http://localhost:3000"),
        ),
    ],
)
def test_origins_are_separated_by_commas(
    monkeypatch: pytest.MonkeyPatch, text: str, origins: tuple[str, ...]
) -> None:
    monkeypatch.setenv("METERGRAPH_CORS_ORIGINS", text)
    assert Settings().cors_origins == origins


@pytest.mark.parametrize("text", ["a.example", "https://a.example/path", "https://", "null"])
def test_what_is_no_origin_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("METERGRAPH_CORS_ORIGINS", text)
    with pytest.raises(ValidationError, match="is not an origin"):
        Settings()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PORT", "70000"),
        ("PORT", "http"),
        ("DATABASE_URL", "mysql://localhost/x"),
        ("REDIS_URL", "localhost:6379"),
        ("MAX_BATCH_EVENTS", "10001"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_a_wrong_value_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    monkeypatch.setenv(f"METERGRAPH_{name}", text)
    with pytest.raises(ValidationError) as caught:
        Settings()
    assert variable_name(str(caught.value.errors()[0]["loc"][0])) == f"METERGRAPH_{name}"


def test_every_setting_says_what_it_is() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_settings_are_read_once() -> None:
    assert get_settings() is get_settings()


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://usage.example", "https://usage.example"),
        (" HTTPS://Usage.Example:8443/ ", "https://usage.example:8443"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("", None),
    ],
)
def test_the_public_address_is_an_origin(
    monkeypatch: pytest.MonkeyPatch, text: str, url: str | None
) -> None:
    monkeypatch.setenv("METERGRAPH_PUBLIC_URL", text)
    assert Settings().public_url == url


@pytest.mark.parametrize(
    "text",
    ["usage.example", "https://usage.example/billing", "ftp://usage.example", "https://a@b", "*"],
)
def test_what_is_no_address_for_browsers_is_refused(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("METERGRAPH_PUBLIC_URL", text)
    with pytest.raises(ValidationError, match="such as https://usage"):
        Settings()
