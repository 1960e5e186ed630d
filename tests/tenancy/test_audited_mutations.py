"""Every mutation of the schema leaves an entry in the audit log; new ones are found here."""

from models import AuditEntry
from resolvers.mutating import Audited, Mutates
from tests.tenancy.asking import request
from tests.tenancy.places import Place
from tests.tenancy.walking import object_type
from tests.tenancy.world import Tenant

UNUSUAL = {"eventsIngest": Audited.NOT, "customerMeterRecompute": Audited.AFTERWARDS}


def test_every_mutation_is_audited_in_its_transaction() -> None:
    for name, field in object_type("Mutation").fields.items():
        extensions = field.extensions["strawberry-definition"].extensions
        [audited] = [one.audited for one in extensions if isinstance(one, Mutates)]
        assert audited is UNUSUAL.get(name, Audited.IN_ITS_TRANSACTION), name


async def test_every_mutation_that_is_carried_out_leaves_one_entry(own: Tenant) -> None:
    """The calls are made from the schema. Those that make no sense here are refused."""

    async def left(name: str) -> int:
        return await AuditEntry.filter(organization_id=own.organization.id, action=name).count()

    done = set()
    for name in object_type("Mutation").fields:
        if name == "eventsIngest":
            continue
        before = await left(name)
        document, variables = request(own, Place("Mutation", name, (), ""), None, 1)
        answer = await own.api.get(document, **variables)
        is_done = not answer[name]["userErrors"]
        assert await left(name) - before == is_done, name
        if is_done:
            done.add(name)
    assert len(done) > 12
    entries = await AuditEntry.filter(organization_id=own.organization.id, action__in=done)
    assert {entry.action for entry in entries if entry.object_id is not None} == done
