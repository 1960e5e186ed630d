"""The worker process: arq's settings, and a loop around arq that outlives Redis and PostgreSQL."""

import asyncio
import signal
from typing import Any

import structlog
from arq import cron
from arq.connections import ArqRedis
from arq.cron import CronJob
from arq.typing import StartupShutdown
from arq.worker import Worker, func
from redis.exceptions import RedisError

from config.settings import get_settings
from metering.wakeup import QUEUE, open_queue
from models.outages import is_outage
from workers.activity import Activity
from workers.grant_cycle_credits import cycle_job
from workers.measurements import Measurements
from workers.outages import Outages
from workers.process_events import Counting, catch_up_meters, process_events, sweep
from workers.recompute_usage import audit_job

_log = structlog.get_logger(__name__)

# arq polls for jobs; its default of 0.5 s would show in live usage.
_POLL_SECONDS = 0.01
_SECONDS_BETWEEN_TRIES = 0.5
_SECONDS_BETWEEN_CANCELS = 0.2
# A meter with a long history catches up for hours; the sweep starts it again where it was cut off.
_CATCH_UP_SECONDS = 3_600
# Of arq's default, 10, the histories of as many organizations would leave none for new events.
_JOBS_AT_ONCE = 200
_EVERY_SECOND = set(range(60))


def build_worker(redis: ArqRedis, counting: Counting, outages: Outages) -> Worker:
    """A worker of arq on an open queue. It handles no signals; cancel `async_run` to stop it."""
    return Worker(
        functions=[
            func(process_events, keep_result=0),
            func(catch_up_meters, keep_result=0, timeout=_CATCH_UP_SECONDS),
        ],
        cron_jobs=_cron_jobs(get_settings().audit_hour),
        queue_name=QUEUE,
        redis_pool=redis,
        handle_signals=False,
        poll_delay=_POLL_SECONDS,
        max_jobs=_JOBS_AT_ONCE,
        keep_result=0,
        log_results=False,
        ctx={"counting": counting, "database": outages.database},
        on_startup=_redis_answers(outages),
        job_serializer=redis.job_serializer,
        job_deserializer=redis.job_deserializer,
    )


def _cron_jobs(audit_hour: int | None) -> list[CronJob]:
    jobs = [cron(sweep, second=_EVERY_SECOND, keep_result=0, max_tries=1), cycle_job()]
    if audit_hour is not None:
        jobs.append(audit_job(audit_hour))
    return jobs


async def run_worker(redis_url: str) -> None:
    """Works until SIGTERM or SIGINT. The database must be open.

    arq ends when Redis goes away. Then this waits for it, and meanwhile sweeps by itself, because
    counting needs PostgreSQL only.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stop.set)
    redis = open_queue(redis_url)
    measurements = Measurements(redis)
    activity = Activity()
    counting = Counting(redis, measurements, activity)
    working = asyncio.create_task(_work_for_ever(redis, counting, measurements))
    measuring = asyncio.create_task(measurements.flush_for_ever())
    saying = asyncio.create_task(activity.say_for_ever())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
    await _end(working, measuring, saying, stopping)
    activity.say()
    await measurements.flush()
    await redis.aclose()
    if not working.cancelled():
        working.result()


async def _work_for_ever(redis: ArqRedis, counting: Counting, measurements: Measurements) -> None:
    outages = Outages()
    while True:
        worker = build_worker(redis, counting, outages)
        measurements.watch(worker)
        try:
            await worker.async_run()
        except (RedisError, OSError) as error:
            outages.redis.away(error)
            await _sweep(counting, outages)
            await asyncio.sleep(_SECONDS_BETWEEN_TRIES)
        finally:
            await _cancel(worker)


def _redis_answers(outages: Outages) -> StartupShutdown:
    async def answers(ctx: dict[Any, Any]) -> None:  # noqa: ARG001  # arq names it
        outages.redis.back()

    return answers


async def _sweep(counting: Counting, outages: Outages) -> None:
    try:
        await counting.sweep()
    except Exception as error:  # noqa: BLE001  # the worker goes on, whatever it is
        if is_outage(error):
            outages.database.away(error)
        else:
            _log.exception("a sweep failed")
    else:
        outages.database.back()


async def _cancel(worker: Worker) -> None:
    """Ends what the worker still runs; what it was doing is pending again."""
    running = [*worker.tasks.values(), worker.main_task]
    await _end(*(task for task in running if task is not None))


async def _end(*tasks: asyncio.Task[Any]) -> None:
    """Cancels tasks until they have ended.

    Once is not enough: on Python 3.11 `asyncio.wait_for`, through which redis-py writes, swallows
    a cancellation that comes at the moment at which what it waits for is done.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _done, left = await asyncio.wait(left, timeout=_SECONDS_BETWEEN_CANCELS)
    for task in tasks:
        if not task.cancelled() and task.exception() is not None:
            _log.debug("ended with an error", reason=repr(task.exception()))
