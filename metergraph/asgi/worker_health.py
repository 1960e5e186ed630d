"""A worker's own port, if METERGRAPH_WORKER_PORT is set: `/healthz`, `/readyz` and `/metrics`.

prometheus-client's `start_http_server` would serve the metrics only.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Iterator

import structlog
import uvicorn
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from config.settings import Settings
from metergraph.asgi.health import clock_check, healthz
from metergraph.asgi.listening import listen, url
from metergraph.asgi.metrics import exposition, of_process
from workers.schedule import WorkerStatus

_log = structlog.get_logger(__name__)

_VARIABLE = "METERGRAPH_WORKER_PORT"
_STOP_SECONDS = 5.0


def worker_app(status: WorkerStatus) -> Starlette:
    """The application that a worker serves on its port."""

    async def readyz(request: Request) -> JSONResponse:
        del request
        seconds = status.seconds_since_sweep
        counting = {
            "status": "ok" if status.is_counting else "not counting",
            "secondsSinceSweep": None if seconds is None else round(seconds, 3),
        }
        clock = clock_check()
        return JSONResponse(
            {
                "status": "ready" if status.is_ready else "not ready",
                "counting": counting,
                "clock": {"status": clock.status, **clock.details},
            },
            status_code=200 if status.is_ready else 503,
        )

    async def metrics(request: Request) -> Response:
        del request
        return exposition(_WorkerCollector(status))

    return Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
        ]
    )


class _WorkerCollector(Collector):
    """The metrics of one worker process."""

    def __init__(self, status: WorkerStatus) -> None:
        self._status = status

    def collect(self) -> Iterable[Metric]:
        """The families, in the order in which they are shown."""
        yield from of_process("worker")
        yield GaugeMetricFamily(
            "metergraph_worker_ready",
            "Whether this worker counts and its machine's clock is right.",
            int(self._status.is_ready),
        )
        seconds = self._status.seconds_since_sweep
        if seconds is not None:
            yield GaugeMetricFamily(
                "metergraph_worker_seconds_since_sweep",
                "How long ago this worker last looked for waiting events.",
                seconds,
            )


class _Server(uvicorn.Server):
    """uvicorn's server, which leaves signals to the worker."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Does not capture signals."""
        yield


@contextlib.asynccontextmanager
async def worker_port(settings: Settings, status: WorkerStatus) -> AsyncIterator[None]:
    """Serves `worker_app` inside the block if the settings name a port.

    Raises:
        ListenError: the port cannot be listened on.
    """
    if settings.worker_port is None:
        yield
        return
    listening = listen(settings.host, settings.worker_port, variable=_VARIABLE)
    _log.info("health and metrics are served", url=url(listening, settings.host))
    server = _Server(
        uvicorn.Config(
            worker_app(status),
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield
    finally:
        server.should_exit = True
        await asyncio.wait((serving,), timeout=_STOP_SECONDS)
        listening.close()
