"""Mutations about customers' sessions: open and revoke."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import strawberry

from config import clock
from metering.problems import RefusedError, problem
from models import AccessToken, CustomerSession
from models import Customer as CustomerRow
from resolvers.mutating import mutates
from resolvers.refusals import named_customer
from schema.context import Context, Info, Scope, TokenIdentity
from schema.inputs.customers import CustomerSessionCreateInput, CustomerSessionRevokeInput
from schema.loaders.rows import Record, fetch
from schema.secrets import SESSION_PREFIX, hash_secret, is_like_secret, new_secret
from schema.types.customer import Customer
from schema.types.payloads import CustomerSessionCreatePayload, CustomerSessionRevokePayload

MOST_MINUTES = 7 * 24 * 60


@strawberry.type
class CustomerSessionMutation:
    @strawberry.mutation(
        description="Opens a session: a short-lived token with which a customer sees its own "
        "usage, charges and invoices and nothing else. The session ends with the "
        "token that opened it, if not before.",
        extensions=[mutates(Scope.BILLING_WRITE)],
    )
    async def customer_session_create(
        self, info: Info, input: CustomerSessionCreateInput
    ) -> CustomerSessionCreatePayload:
        context = info.context
        if input.minutes is not None and not 1 <= input.minutes <= MOST_MINUTES:
            message = f"minutes must be from 1 to {MOST_MINUTES:,}."
            raise RefusedError(problem("INVALID", message, "minutes"))
        row = await named_customer(context, input.customer_id, input.external_customer_id)
        opener = context.identity
        if not isinstance(opener, TokenIdentity):
            raise TypeError("a session cannot open another")
        minutes = input.minutes or context.services.settings.customer_session_minutes
        expires_at = clock.now() + timedelta(minutes=minutes)
        if opener.expires_at is not None:
            # That of a browser's session; a link may outlive it, but not its token.
            token = await AccessToken.get(id=opener.token_id)
            expires_at = min(expires_at, token.expires_at or expires_at)
        secret = new_secret(SESSION_PREFIX)
        session = await CustomerSession.create(
            organization_id=context.organization_id,
            customer_id=row.id,
            token_id=opener.token_id,
            secret_hash=hash_secret(secret),
            expires_at=expires_at,
        )
        return CustomerSessionCreatePayload(
            token=secret,
            expires_at=session.expires_at,
            portal_url=_portal_url(context, secret),
            customer=Customer.of(row),
        )

    @strawberry.mutation(
        description="Ends all sessions of a customer, or one session by its token. Their open "
        "WebSockets and streams close within seconds.",
        extensions=[mutates(Scope.BILLING_WRITE)],
    )
    async def customer_session_revoke(
        self, info: Info, input: CustomerSessionRevokeInput
    ) -> CustomerSessionRevokePayload:
        named = [input.customer_id, input.external_customer_id, input.token]
        if sum(value is not None for value in named) != 1:
            message = "Give exactly one of customerId, externalCustomerId and token."
            raise RefusedError(problem("INVALID", message))
        context = info.context
        if input.token is None:
            row = await named_customer(context, input.customer_id, input.external_customer_id)
            sessions = await _revoked(context.organization_id, "customer_id", row.id)
        elif is_like_secret(input.token):
            secret_hash = hash_secret(input.token)
            sessions = await _revoked(context.organization_id, "secret_hash", secret_hash)
            if not sessions:
                return CustomerSessionRevokePayload()
            row = await context.loaders.existing(CustomerRow, sessions[0]["customer_id"])
        else:
            return CustomerSessionRevokePayload()
        return CustomerSessionRevokePayload(
            revoked=sum(session["was_open"] for session in sessions), customer=Customer.of(row)
        )


def _portal_url(context: Context, secret: str) -> str | None:
    """Makes a link to the portal. The secret is in the fragment, which browsers never send."""
    origin = context.services.settings.public_url or context.origin
    return None if origin is None else f"{origin}/portal#token={secret}"


async def _revoked(organization_id: UUID, column: str, value: UUID | bytes) -> Sequence[Record]:
    """Deletes sessions, and returns for each its customer and whether it had not expired."""
    return await fetch(
        f"""
        DELETE FROM customer_session WHERE organization_id = $1 AND {column} = $2
        RETURNING customer_id, expires_at > $3 AS was_open
        """,
        organization_id,
        value,
        clock.now(),
    )
