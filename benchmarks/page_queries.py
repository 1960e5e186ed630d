"""What is asked for pages: of the API, of PostGraphile and of the bare database."""

from dataclasses import dataclass

METERS = 10


@dataclass(frozen=True)
class Case:
    """A question, in words that make the API and PostGraphile answer alike.

    `query` has the variables $start and $end where it is `ranged`, and `peer_query` $organization
    besides. `bare` takes the organization, and then start and end. What is `aimed` should be
    answered as often as by PostGraphile, and in 20 ms.
    """

    name: str
    query: str
    peer_query: str
    bare: str
    ranged: bool = True
    aimed: bool = True


_PAGE = Case(
    "100 events with customer",
    """
    { events(first: 100) { nodes {
        id name timestamp metadata customer { id externalId name }
    } } }
    """,
    """
    query Page($organization: UUID!) {
      events: allEvents(
        first: 100
        condition: {organizationId: $organization}
        orderBy: [TIMESTAMP_DESC, ROW_ID_DESC]
      ) { nodes {
        id: rowId name timestamp metadata customer { id: rowId externalId name }
      } }
    }
    """,
    """
    SELECT e.id, e.name, e.timestamp, e.metadata, c.id AS customer_id, c.external_id,
           c.name AS customer
    FROM (
        SELECT * FROM event WHERE organization_id = $1 ORDER BY timestamp DESC, id DESC LIMIT 100
    ) AS e
    JOIN customer c ON c.organization_id = e.organization_id AND c.id = e.customer_id
    ORDER BY e.timestamp DESC, e.id DESC
    """,
    ranged=False,
)

_BARE_SERIES = """
    SELECT meter_id, date_trunc('{step}', bucket) AS start, sum(sum), sum(count)
    FROM usage_bucket
    WHERE organization_id = $1 AND customer_id = '00000000-0000-0000-0000-000000000000'
      AND meter_id IN (SELECT id FROM meter WHERE organization_id = $1 ORDER BY id LIMIT {meters})
      AND bucket >= $2 AND bucket < $3
    GROUP BY meter_id, start
"""


def _series(name: str, meters: int, interval: str, step: str, *, aimed: bool) -> Case:
    return Case(
        name,
        f"""
        query Series($start: DateTime!, $end: DateTime!) {{
          meters(first: {meters}) {{ nodes {{
            id name unit
            quantities(start: $start, end: $end, interval: {interval}) {{
              points {{ start quantity }} total
            }}
          }} }}
        }}
        """,
        f"""
        query Series($organization: UUID!, $start: Datetime!, $end: Datetime!) {{
          meters: allMeters(
            first: {meters}, condition: {{organizationId: $organization}}, orderBy: [ROW_ID_ASC]
          ) {{ nodes {{
            id: rowId name unit
            quantities(startAt: $start, endAt: $end, step: "{step}") {{
              points {{ start quantity }} total
            }}
          }} }}
        }}
        """,
        _BARE_SERIES.format(step=step, meters=meters),
        aimed=aimed,
    )


CASES = (
    _PAGE,
    _series(
        f"dashboard: {METERS} meters, 30 daily points, totals", METERS, "DAY", "day", aimed=True
    ),
    _series("1 meter, 720 hourly points", 1, "HOUR", "hour", aimed=False),
)
