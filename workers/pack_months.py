"""Packs the indexes of months that are over."""

import asyncio
import time

import structlog

from metering.packing import PackingWaitsError, pack_next

_log = structlog.get_logger(__name__)

# A build uses a processor and the disk, so there is a rest after it, as long as it took.
_REST = 1.0


async def pack_months() -> bool:
    """Packs index after index until none is left; returns False if one has to wait."""
    started = time.monotonic()
    try:
        while (packed := await pack_next()) is not None:
            seconds = time.monotonic() - started
            _log.info(
                "index packed",
                index=packed.index,
                bytes_before=packed.bytes_before,
                bytes=packed.bytes,
                seconds=round(seconds, 3),
            )
            await asyncio.sleep(_REST * seconds)
            started = time.monotonic()
    except PackingWaitsError as error:
        _log.info("an index is not packed yet", reason=str(error))
        return False
    return True
