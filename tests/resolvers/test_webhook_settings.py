"""What the settings say of webhooks: the key of their secrets, and where they may be sent."""

import json
from collections.abc import Callable

import pytest

from config.settings import get_settings
from models import Organization, WebhookEndpoint
from tests.graphql_client import Api
from tests.resolvers.hooking import CREATE, create
from webhooks.secrets import decrypted


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example",
        "http://hooks.example/",
        "ftp://hooks.example/",
        "https://",
        "https:///path",
        "https://user:password@hooks.example/",
        "https://hooks.example/#part",
        "https://hooks.example:0/",
        "https://hooks.example:99999/",
        "https://hooks example/",
        "https://hooks.example/\r\nx: y",
        "https://hooks.example/\x00",
        "https://h\u00f6oks.example/",
        "https://hooks.example\\@127.0.0.1/",
        "https://127.0.0.1/",
        "https://10.1.2.3/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://0.0.0.0/",
        f"https://hooks.example/{'x' * 2_048}",
        "https://hooks.example/\ud800",
    ],
)
async def test_a_url_that_is_never_sent_to_is_refused(api: Api, url: str) -> None:
    # json writes half of a surrogate pair, too.
    body = json.dumps({"query": CREATE, "variables": {"input": {"url": url}}})
    made = (await api.post(body)).json()["data"]["webhookEndpointCreate"]
    assert [(error["code"], error["path"]) for error in made["userErrors"]] == [
        ("INVALID", ["url"])
    ]
    assert (made["secret"], made["webhookEndpoint"]) == (None, None)


async def test_insecure_urls_are_allowed_for_development_only(
    api: Api, setting: Callable[[str, str | None], None]
) -> None:
    setting("METERGRAPH_WEBHOOK_ALLOW_INSECURE", "true")
    assert (await create(api, url="http://127.0.0.1:4000/"))["userErrors"] == []
    [error] = (await create(api, url="ftp://127.0.0.1/"))["userErrors"]
    assert error["path"] == ["url"]


async def test_without_a_key_the_answer_names_the_setting(
    api: Api, setting: Callable[[str, str | None], None]
) -> None:
    setting("METERGRAPH_SECRET_KEY", None)
    [error] = (await create(api))["userErrors"]
    assert error["code"] == "INVALID"
    assert "METERGRAPH_SECRET_KEY" in error["message"]


async def test_a_rotated_key_still_decrypts(
    api: Api, organization: Organization, setting: Callable[[str, str | None], None]
) -> None:
    made = await create(api)
    old = get_settings().secret_key
    assert old is not None
    setting("METERGRAPH_SECRET_KEY", f"{'A' * 43}=, {old.get_secret_value()}")
    assert (
        decrypted((await WebhookEndpoint.get(organization_id=organization.id)).secret)
        == (made["secret"])
    )
