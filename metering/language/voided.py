"""SQL: which events are voided.

A voided event has left its batch: its `batch_id` is the negative of what it was, which no batch
has. All that counts events by the position of their batch therefore leaves it out, at no cost.
"""

BATCH_ID = "abs(e.batch_id)"
"""SQL: the batch in which event `e` was stored, whether it is voided or not."""

IS_VOIDED = "((e.batch_id < 0) IS TRUE)"
"""SQL: whether event `e` is voided. No index can answer it, so that none looks useful for it."""

VOIDED_ONLY = "e.batch_id < 0"
"""SQL: the same, for lists of voided events only: the index on batches finds them."""


def counted_as_of(position: str) -> str:
    """SQL: whether event `e` counted as of a position of the log, also if it is voided since.

    The organization is $1. An invoice line says up to which position it has counted.
    """
    return f"""(
        (
            SELECT batch.position FROM event_batch batch
            WHERE batch.organization_id = $1 AND batch.id = {BATCH_ID}
        ) <= {position}
        AND (e.batch_id > 0 OR (
            SELECT voided.position FROM event_void voided
            WHERE voided.organization_id = $1 AND voided.event_id = e.id
        ) > {position})
    )"""
