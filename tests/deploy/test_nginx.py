"""The API behind nginx, as deploy/nginx.conf has it, with TLS on a port of the test's."""

import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from config.settings import Settings
from metergraph.asgi.listening import listen
from models import Organization
from tests.serving import new_token, served

CONFIGURATION = (Path(__file__).parents[2] / "deploy" / "nginx.conf").read_text()
PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin"])
NGINX = shutil.which("nginx", path=PATH)
OPENSSL = shutil.which("openssl")
NAME = "usage.example"
MAIN = """
daemon off;
pid nginx.pid;
error_log stderr error;
{user}
events {{}}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxied;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    include site.conf;
}}
"""

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed"),
    pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed"),
]


def replaced(text: str, *pairs: tuple[str, str]) -> str:
    for found, put in pairs:
        assert text.count(found) == 1, found
        text = text.replace(found, put)
    return text


def free_port() -> int:
    with listen("127.0.0.1", 0) as listening:
        port: int = listening.getsockname()[1]
        return port


@contextmanager
def behind_nginx(place: Path, api: str, *changes: tuple[str, str]) -> Iterator[int]:
    """The port on which nginx passes requests on to the API."""
    certificate = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2")
    subprocess.run(
        [str(OPENSSL), *certificate, "-subj", f"/CN={NAME}", "-keyout", "key", "-out", "pem"],
        check=True,
        capture_output=True,
        cwd=place,
    )
    port = free_port()
    site = replaced(
        CONFIGURATION,
        ("server 127.0.0.1:8000;", f"server {api.removeprefix('http://')};"),
        ("    server 127.0.0.1:8001;\n", ""),
        ("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
        ("/etc/ssl/certs/usage.example.pem", str(place / "pem")),
        ("/etc/ssl/private/usage.example.key", str(place / "key")),
        *changes,
    )
    (place / "site.conf").write_text(site)
    (place / "main.conf").write_text(MAIN.format(user="user root;" if os.geteuid() == 0 else ""))
    command = [str(NGINX), "-p", str(place), "-e", "stderr", "-c", "main.conf"]
    checked = subprocess.run([*command, "-t"], check=False, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    with subprocess.Popen(command) as process:
        try:
            yield port
        finally:
            process.terminate()


def client(port: int) -> httpx.AsyncClient:
    transport = httpx.AsyncHTTPTransport(verify=False, retries=10)  # nginx is starting
    return httpx.AsyncClient(base_url=f"https://127.0.0.1:{port}", transport=transport, timeout=60)


async def opens(port: int, origin: str) -> bool:
    """Whether a page of an origin, which came from nginx, gets a WebSocket."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    connecting = connect(
        f"wss://{NAME}:{port}/graphql",
        host="127.0.0.1",
        port=port,
        ssl=trusting,
        additional_headers={"origin": origin},
        subprotocols=[Subprotocol("graphql-transport-ws")],
    )
    try:
        async with connecting as socket:
            await socket.send('{"type": "ping"}')
            assert await socket.recv() == '{"type":"pong"}'
            return True
    except InvalidStatus as refused:
        return refused.response.status_code != HTTPStatus.FORBIDDEN


async def test_the_example_serves_requests_and_sockets_of_its_own_pages(
    settings: Settings, organization: Organization, tmp_path: Path
) -> None:
    token = await new_token(organization)
    async with served(settings) as api:
        with behind_nginx(tmp_path, api) as port:
            async with client(port) as http:
                answer = await http.post(
                    "/graphql",
                    json={"query": "{ organization { name } }"},
                    headers={"authorization": f"Bearer {token}", "host": f"{NAME}:{port}"},
                )
                assert answer.json()["data"] == {"organization": {"name": "Test"}}
                for path in ("/metrics", "/readyz"):
                    assert (await http.get(path)).status_code == HTTPStatus.NOT_FOUND
                assert await opens(port, f"https://{NAME}:{port}")
                assert not await opens(port, "https://evil.example")


PASSED_ON = "        proxy_set_header Host $http_host;\n"
FORWARDED = "        proxy_set_header X-Forwarded-Host $http_host;\n"


@pytest.mark.parametrize(
    "changes",
    [
        [(PASSED_ON, "        proxy_set_header Host $host;\n"), (FORWARDED, "")],
        [(PASSED_ON, "")],
    ],
    ids=["Host without its port", "only X-Forwarded-Host"],
)
async def test_sockets_open_behind_other_usual_configurations(
    settings: Settings, organization: Organization, tmp_path: Path, changes: list[tuple[str, str]]
) -> None:
    async with served(settings) as api:
        with behind_nginx(tmp_path, api, *changes) as port:
            async with client(port) as http:
                assert (await http.get("/healthz")).status_code == HTTPStatus.OK
                assert await opens(port, f"https://{NAME}:{port}")
                assert not await opens(port, "https://evil.example")
