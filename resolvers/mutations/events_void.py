"""Mutation eventsVoid: takes events that should not have been sent out of all numbers."""

import strawberry

from metering.problems import RefusedError, problem
from metering.voiding.voids import MAXIMUM_EVENTS, void_events
from resolvers.mutating import mutates
from schema.audit_log.entries import AuditedObject
from schema.context import Info, Scope
from schema.ids import decode_id
from schema.inputs.events import EventsVoidInput
from schema.types.payloads import EventsVoidPayload


@strawberry.type
class EventsVoidMutation:
    @strawberry.mutation(
        description="Voids events that should not have been sent: they stay stored, with the "
        "reason, but count nowhere from now on. Usage changes at once. What is invoiced already "
        "is corrected by lines of the next invoice. Voiding cannot be undone. All of the events "
        "are voided, or none. Repeating the call changes nothing.",
        extensions=[mutates(Scope.BILLING_WRITE, is_repeatable=lambda _sent: True)],
    )
    async def events_void(self, info: Info, input: EventsVoidInput) -> EventsVoidPayload:
        ids, external_ids = input.ids or [], input.external_ids or []
        asked = len(ids) + len(external_ids)
        if not asked:
            raise RefusedError(problem("INVALID", "Give ids or externalIds of events."))
        if asked > MAXIMUM_EVENTS:
            message = f"{asked:,} events in one call; at most {MAXIMUM_EVENTS:,} are allowed."
            field = "ids" if len(ids) > MAXIMUM_EVENTS else "externalIds"
            raise RefusedError(problem("LIMIT_EXCEEDED", message, field))
        keys = {text: decode_id(text, "Event") for text in ids}
        known = {key for key in keys.values() if key is not None}
        named = dict.fromkeys(external_ids)
        found = await void_events(info.context.organization_id, known, named, input.reason)
        missing_keys = {None, *found.missing_ids}
        missing_ids = [strawberry.ID(text) for text, key in keys.items() if key in missing_keys]
        missing_names = [text for text in named if text in found.missing_external_ids]
        return EventsVoidPayload(
            voided=len(found.ids),
            already_voided=found.already_voided,
            not_found=len(missing_ids) + len(missing_names),
            not_found_ids=missing_ids,
            not_found_external_ids=missing_names,
            audited=[AuditedObject("Event", key) for key in found.ids],
        )
