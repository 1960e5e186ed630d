"""The values of settings that need more than a type: how each is read and what it must be."""

import base64
import re
from ipaddress import ip_network
from typing import Annotated, Any

from limits import parse
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

_KEY_BYTES = 32
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s@?#;]+")


def _items(value: Any) -> tuple[str, ...]:
    """The items of a list that commas separate; a tuple of them as it is."""
    if not isinstance(value, str):
        return tuple(value)
    return tuple(item.strip() for item in value.split(",") if item.strip())


def _origins(value: Any) -> tuple[str, ...]:
    """Origins as browsers write them, for the comparison."""
    return tuple(origin.rstrip("/").lower() for origin in _items(value))


def _check_origins(value: tuple[str, ...]) -> tuple[str, ...]:
    for origin in value:
        if not _ORIGIN.fullmatch(origin):
            raise ValueError(f"{origin!r} is not an origin, such as https://dashboard.example")
    return value


def _check_origins_or_any(value: tuple[str, ...]) -> tuple[str, ...]:
    _check_origins(tuple(origin for origin in value if origin != "*"))
    return value


def _normal_url(value: Any) -> Any:
    return value.strip().rstrip("/").lower() if isinstance(value, str) else value


def _check_public_url(value: str) -> str:
    if not value.startswith(("http://", "https://")) or not _ORIGIN.fullmatch(value):
        raise ValueError(
            "must be a scheme and a host only, such as https://usage.example: the pages are "
            "served at the root of a host, not below a path"
        )
    return value


def _check_proxies(value: tuple[str, ...]) -> tuple[str, ...]:
    if "*" in value:
        return ("*",)
    networks = {proxy: str(ip_network(proxy, strict=False)) for proxy in value}
    return tuple(networks[proxy] if "/" in proxy else proxy for proxy in value)


def _check_rate(value: str) -> str:
    parse(value)
    return value


def _check_keys(value: SecretStr) -> SecretStr:
    keys = _items(value.get_secret_value())
    for key in keys:
        try:
            is_key = len(base64.urlsafe_b64decode(key)) == _KEY_BYTES
        except ValueError:
            is_key = False
        if not is_key:
            raise ValueError("must be the base64 of 32 bytes, or several separated by commas")
    return SecretStr(",".join(keys))


def _check_postgres_url(value: str) -> str:
    if not value.startswith(("postgres://", "postgresql://")):
        raise ValueError("must begin with postgresql:// or postgres://")
    return value


def _check_redis_url(value: str) -> str:
    if not value.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("must begin with redis://, rediss:// or unix://")
    return value


def _none_if_off(value: Any) -> Any:
    return None if isinstance(value, str) and value.strip().lower() == "off" else value


PostgresUrl = Annotated[str, AfterValidator(_check_postgres_url)]
RedisUrl = Annotated[str, AfterValidator(_check_redis_url)]
PublicUrl = Annotated[str, BeforeValidator(_normal_url), AfterValidator(_check_public_url)]
Origins = Annotated[
    tuple[str, ...], NoDecode, BeforeValidator(_origins), AfterValidator(_check_origins)
]
OriginsOrAny = Annotated[
    tuple[str, ...], NoDecode, BeforeValidator(_origins), AfterValidator(_check_origins_or_any)
]
Proxies = Annotated[
    tuple[str, ...], NoDecode, BeforeValidator(_items), AfterValidator(_check_proxies)
]
Rate = Annotated[str, AfterValidator(_check_rate)]
Keys = Annotated[SecretStr, AfterValidator(_check_keys)]
HourOrOff = Annotated[Annotated[int, Field(ge=0, le=23)] | None, BeforeValidator(_none_if_off)]
