"""Mutations about access tokens: create and revoke."""

import strawberry

from config import clock
from metering.problems import problem, refuse_any
from metering.texts import NAME, name_problems
from models import AccessToken as AccessTokenRow
from resolvers.mutating import mutates
from resolvers.refusals import not_found
from schema.context import Info, Scope
from schema.ids import decode_id
from schema.inputs.access import AccessTokenCreateInput, AccessTokenRevokeInput
from schema.secrets import hash_secret, new_secret
from schema.types.organization import AccessToken
from schema.types.payloads import AccessTokenCreatePayload, AccessTokenRevokePayload


@strawberry.type
class AccessTokenMutation:
    @strawberry.mutation(
        description="Creates a token for the organization. Its secret is shown only once.",
        extensions=[mutates(Scope.ADMIN)],
    )
    async def access_token_create(
        self, info: Info, input: AccessTokenCreateInput
    ) -> AccessTokenCreatePayload:
        problems = name_problems(input.name, NAME, "name")
        if not input.scopes:
            problems.append(problem("INVALID", "Give at least one scope.", "scopes"))
        if input.expires_at is not None and input.expires_at <= clock.now():
            message = "expiresAt must be in the future."
            problems.append(problem("INVALID", message, "expiresAt"))
        refuse_any(problems)
        secret = new_secret()
        row = await AccessTokenRow.create(
            organization_id=info.context.organization_id,
            name=input.name,
            scopes=sorted({scope.name for scope in input.scopes}),
            secret_hash=hash_secret(secret),
            expires_at=input.expires_at,
        )
        return AccessTokenCreatePayload(access_token=AccessToken.of(row), secret=secret)

    @strawberry.mutation(
        description="Revokes a token and ends every session that it opened. Open WebSockets and "
        "streams close within seconds.",
        extensions=[mutates(Scope.ADMIN)],
    )
    async def access_token_revoke(
        self, info: Info, input: AccessTokenRevokeInput
    ) -> AccessTokenRevokePayload:
        key = decode_id(input.id, "AccessToken")
        row = (
            await AccessTokenRow.get_or_none(organization_id=info.context.organization_id, id=key)
            if key
            else None
        )
        if row is None:
            raise not_found("AccessToken", "id")
        if row.revoked_at is None:
            row.revoked_at = clock.now()
            await row.save(update_fields=["revoked_at"])
        return AccessTokenRevokePayload(access_token=AccessToken.of(row))
