"""The names that events have, kept up by the log."""

from datetime import timedelta

from metering.counting.event_names import event_names
from metering.counting.log import advance
from models import Organization
from tests.ingesting import NOON, drain, send


async def test_names_are_counted_once_with_when_they_happened(organization: Organization) -> None:
    early, late = NOON - timedelta(days=900), NOON + timedelta(hours=1)
    await send(organization.id, {"externalId": "1"}, {}, {"name": "Video_Streamed"})
    await send(organization.id, {"externalId": "1"}, {"timestamp": late}, {"timestamp": early})
    await drain(organization.id)
    await send(organization.id, {"timestamp": NOON})
    await drain(organization.id)

    usage, video = await event_names(organization.id)

    assert (usage.name, usage.occurrences) == ("ai_usage", 5)
    assert (usage.first_seen_at, usage.last_seen_at) == (early, late)
    assert (video.name, video.occurrences, video.metadata_keys) == ("Video_Streamed", 1, ())


async def test_names_are_found_by_a_part_in_any_case(organization: Organization) -> None:
    await send(organization.id, {"name": "AI_usage"}, {"name": "50%"}, {"name": "Übertragung"})
    await drain(organization.id)

    async def found(text: str) -> list[str]:
        return [use.name for use in await event_names(organization.id, text)]

    assert await found("ai_u") == ["AI_usage"]
    assert await found("%") == ["50%"]
    assert await found("über") == await found("ÜBER") == ["Übertragung"]
    assert await found("_") == ["AI_usage"]
    assert await found("nothing") == []


async def test_metadata_keys_are_those_of_late_events_most_frequent_first(
    organization: Organization,
) -> None:
    await send(organization.id, {"metadata": {"old": 1}})
    await drain(organization.id)
    for number in range(20):
        metadata = {"tokens": 1, "a.b": {"c": 1}} if number % 2 else {"tokens": 2}
        await send(organization.id, {"metadata": metadata})
        await advance(organization.id)

    (use,) = await event_names(organization.id)

    assert use.metadata_keys == ("tokens", "a.b")


async def test_rare_names_of_a_large_batch_have_their_keys(organization: Organization) -> None:
    events = [{"metadata": {"tokens": 1}}] * 500
    await send(organization.id, {"name": "rare", "metadata": {"colour": "red"}}, *events)
    await drain(organization.id)

    keys = {use.name: use.metadata_keys for use in await event_names(organization.id)}

    assert keys == {"ai_usage": ("tokens",), "rare": ("colour",)}
