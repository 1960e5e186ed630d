"""Webhooks go to public addresses only, and to the very address that was checked."""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpcore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.webhooks.receiver import receiving
from webhooks.addresses import AddressError, CheckedNetwork, check_address
from webhooks.secrets import new_secret
from webhooks.sending import Attempt, Message, Sender, tls_context

PUBLIC = ("93.184.216.34", "8.8.8.8", "2606:4700:4700::1111")
PRIVATE = (
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd12:3456:789a::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "2001:db8::1",
    "100::1",
)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_allowed(address: str) -> None:
    check_address(ip_address(address))


@pytest.mark.parametrize("address", PRIVATE)
def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(AddressError, match="not public"):
        check_address(ip_address(address))


@contextmanager
def resolving(*answers: list[str]) -> Iterator[list[str]]:
    """Every name resolves to the next of these answers, and in the end to the last one."""
    asked: list[str] = []

    def look_up(host: str, port: int, **_kind: Any) -> list[Any]:
        answer = answers[min(len(asked), len(answers) - 1)]
        asked.append(host)
        family = socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port)) for address in answer]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("webhooks.addresses.socket.getaddrinfo", look_up)
        yield asked


class Network(httpcore.AsyncMockBackend):
    """Connects to nothing, and remembers where it should have."""

    def __init__(self) -> None:
        super().__init__([b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"])
        self.connected: list[str] = []

    async def connect_tcp(self, host: str, *_rest: Any) -> httpcore.AsyncNetworkStream:
        self.connected.append(host)
        return await super().connect_tcp(host, 443)


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    """What the checked network connects through."""
    found = Network()
    monkeypatch.setattr("webhooks.addresses.httpcore.AnyIOBackend", lambda: found)
    return found


async def send(url: str, tls: ssl.SSLContext | None = None, **given: Any) -> Attempt:
    sender = Sender(tls or tls_context(), **{"allow_insecure": False, **given})
    try:
        return await sender.send(url, [new_secret()], Message("msg_1", "{}"))
    finally:
        await sender.close()


async def test_the_checked_address_is_the_one_that_is_connected_to(network: Network) -> None:
    with resolving(["93.184.216.34"], ["127.0.0.1"]) as asked:
        attempt = await send("https://rebinding.example/")
    assert attempt.is_success
    assert asked == ["rebinding.example"]
    assert network.connected == ["93.184.216.34"]


async def test_a_name_that_changes_its_answer_is_refused_the_next_time(network: Network) -> None:
    with resolving(["93.184.216.34"], ["127.0.0.1"]):
        first, second = [await send("https://rebinding.example/") for _ in range(2)]
    assert first.is_success
    assert second.error == "The URL names an address that is not public."
    assert network.connected == ["93.184.216.34"]


async def test_one_private_address_among_others_refuses_the_name(network: Network) -> None:
    with resolving(["93.184.216.34", "10.0.0.1"]):
        attempt = await send("https://mixed.example/")
    assert attempt.error == "The URL names an address that is not public."
    assert network.connected == []


@pytest.mark.parametrize(
    "host", ["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "localhost"]
)
async def test_other_spellings_of_a_local_address_are_refused(network: Network, host: str) -> None:
    attempt = await send(f"https://{host}/")
    assert attempt.error is not None
    assert network.connected == []


async def test_a_second_address_is_tried_if_the_first_does_not_answer() -> None:
    async with receiving() as receiver:
        with resolving(["127.0.0.2", "127.0.0.1"]):
            url = f"http://hooks.example:{receiver.port}/"
            assert (await send(url, allow_insecure=True)).is_success
        [received] = receiver.received
        assert received.headers["host"] == f"hooks.example:{receiver.port}"


async def test_a_silent_name_server_delays_no_other_name() -> None:
    answered = asyncio.Event()
    loop = asyncio.get_running_loop()
    release = asyncio.Event()

    def look_up(host: str, port: int, **_kind: Any) -> list[Any]:
        if host.startswith("silent"):
            asyncio.run_coroutine_threadsafe(release.wait(), loop).result(60)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    network = CheckedNetwork(allow_insecure=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("webhooks.addresses.socket.getaddrinfo", look_up)
        silent = [
            asyncio.create_task(network.connect_tcp(f"silent{number}.example", 443))
            for number in range(50)
        ]
        with pytest.raises(AddressError):
            await network.connect_tcp("other.example", 443)
        answered.set()
        assert not any(task.done() for task in silent)
        release.set()
        assert all(
            isinstance(one, AddressError)
            for one in await asyncio.gather(*silent, return_exceptions=True)
        )


def certificate_of(name: str, directory: Path) -> Path:
    """A certificate that signs itself, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = directory / "certificate.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


async def test_the_certificate_is_that_of_the_name_and_not_of_the_address(tmp_path: Path) -> None:
    path = certificate_of("hooks.example", tmp_path)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(path)
    trusting = ssl.create_default_context(cafile=str(path))
    async with receiving(tls=serving) as receiver:
        right_url, wrong_url = (
            f"https://{name}.example:{receiver.port}/" for name in ("hooks", "other")
        )
        with resolving(["127.0.0.1"]):
            right = await send(right_url, trusting, allow_insecure=True)
            wrong = await send(wrong_url, trusting, allow_insecure=True)
            unknown = await send(right_url, allow_insecure=True)
    assert right.is_success
    assert "certificate" in str(wrong.error).lower()
    assert "certificate" in str(unknown.error).lower()
    assert len(receiver.received) == 1
