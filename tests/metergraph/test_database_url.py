"""Database URLs as libpq writes them."""

from typing import Any

import pytest

from metergraph.database.database_url import DatabaseURLError, address, credentials


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "postgresql://user:word@db.example:5433/name",
            {
                "host": "db.example",
                "port": 5433,
                "user": "user",
                "password": "word",
                "database": "name",
            },
        ),
        ("postgres://db.example/name", {"host": "db.example", "port": 5432, "user": None}),
        ("postgresql://u:p%40ss%2Fw%3Ard@h/n", {"password": "p@ss/w:rd"}),
        ("postgresql://user@/name?host=/var/run/postgresql", {"host": "/var/run/postgresql"}),
        ("postgresql:///name?host=%2Ftmp%2Fa%20b&user=me", {"host": "/tmp/a b", "user": "me"}),
        ("postgresql://h/n?sslmode=require", {"ssl": "require"}),
        ("postgresql://h/n?statement_cache_size=0", {"statement_cache_size": 0}),
        ("postgresql://[::1]:5432/n", {"host": "::1"}),
    ],
)
def test_the_parts_of_a_url(url: str, expected: dict[str, Any]) -> None:
    found = credentials(url)
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://h/n", "postgresql://"),
        ("postgresql://h:port/n", "malformed"),
        ("postgresql://u:secret@h/n?target_session_attrs=any", "target_session_attrs"),
        ("postgresql://h/n?connect_timeout=soon", "connect_timeout"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_reason(url: str, words: str) -> None:
    with pytest.raises(DatabaseURLError, match=words) as caught:
        credentials(url)
    assert "secret" not in str(caught.value)


def test_an_address_shows_no_user_and_no_password() -> None:
    assert address("postgresql://user:word@db.example/name") == "db.example:5432/name"
