"""Commands that change data leave an entry in the audit log, with the account that ran them."""

import os
import pwd
import secrets

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from models import AuditEntry, Organization
from tests.metergraph.running import RunMetergraph

ME = pwd.getpwuid(os.geteuid()).pw_name


async def entries(organization: Organization) -> list[AuditEntry]:
    return await AuditEntry.filter(organization_id=organization.id).order_by("at")


async def test_commands_about_tokens_and_organizations_are_audited(
    database: BaseDBAsyncClient, run_metergraph: RunMetergraph
) -> None:
    slug = f"acme-{secrets.token_hex(8)}"
    assert (await run_metergraph("organization", "create", "Acme", "--slug", slug))[0] == 0
    refused = await run_metergraph("organization", "create", "Acme", "--slug", slug)
    assert refused[0] == 1
    organization = await Organization.get(slug=slug)
    create = ("token", "create", "--organization", slug, "--name", "ci", "--scope", "ADMIN")
    code, printed = await run_metergraph(*create)
    assert code == 0
    _, listed = await run_metergraph("token", "list", "--organization", slug)
    token_id = listed.split("\t")[0]
    revoke = ("token", "revoke", "--organization", slug, token_id)
    assert (await run_metergraph(*revoke))[0] == 0
    found = await entries(organization)
    assert [(entry.action, entry.actor_kind, entry.actor) for entry in found] == [
        ("metergraph organization create", "COMMAND_LINE", ME),
        ("metergraph token create", "COMMAND_LINE", ME),
        ("metergraph token revoke", "COMMAND_LINE", ME),
    ]
    assert [(entry.object_type, str(entry.object_id)) for entry in found] == [
        ("Organization", str(organization.id)),
        ("AccessToken", token_id),
        ("AccessToken", token_id),
    ]
    assert found[0].input == {"name": "Acme", "slug": slug}
    assert found[1].input == {"name": "ci", "scopes": ["ADMIN"], "expiresAt": None}
    [secret] = [line for line in printed.splitlines() if line.startswith("mg_")]
    assert secret not in str([entry.input for entry in found])


@pytest.mark.parametrize("is_rehearsal", [False, True])
async def test_a_cycle_is_audited_unless_it_is_a_dry_run(
    run_metergraph: RunMetergraph, organization: Organization, is_rehearsal: bool
) -> None:
    mode = "--dry-run" if is_rehearsal else "--yes"
    at = "2026-03-01T00:00:00Z"
    code, _ = await run_metergraph("cycle", mode, "--at", at, "--organization", organization.slug)
    assert code == 0
    found = [(entry.action, entry.input) for entry in await entries(organization)]
    assert found == ([] if is_rehearsal else [("metergraph cycle", {"at": at})])


async def test_a_restore_is_audited_in_every_organization(
    run_metergraph: RunMetergraph,
    organization: Organization,
    other_organization: Organization,
    fresh_database: BaseDBAsyncClient,
) -> None:
    code, printed = await run_metergraph("restored")
    assert (code, printed) == (0, "A new timeline has begun for 2 organizations.\n")
    for each in (organization, other_organization):
        assert [entry.action for entry in await entries(each)] == ["metergraph restored"]
