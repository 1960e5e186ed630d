"""Where webhooks may be sent to: https URLs whose names resolve to public addresses.

A URL comes from a tenant, and the worker runs inside the operator's network. So a name is resolved
once for each connection, every address is checked, and the connection goes to a checked address:
a name that resolves differently the next time changes nothing. All spellings of an address end up
here as an address, such as 0x7f.1 or 2130706433 for 127.0.0.1. The certificate is still that of the
name. `allow_insecure` allows http and every address, for development.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

import httpcore

from metering.texts import URL, name_fault

_UNICAST = IPv6Network("2000::/3")
# Addresses that carry an IPv4 address, which a gateway may forward to: 6to4 and Teredo. Those of
# NAT64, mapped and compatible addresses are outside of _UNICAST.
_TUNNELS = (IPv6Network("2002::/16"), IPv6Network("2001::/32"))

_PRINTABLE = range(0x21, 0x7F)


class AddressError(ValueError):
    """A URL or an address that webhooks are not sent to; the message says why."""


def check_url(text: str, *, allow_insecure: bool) -> None:
    """Raises AddressError for a URL that webhooks are never sent to, without looking up its name.

    The message is the rest of a sentence that begins with the field's name.
    """
    if fault := name_fault(text, URL):
        raise AddressError(fault[1])
    if not all(ord(character) in _PRINTABLE for character in text):
        raise AddressError("may have printable ASCII characters only; write a name as xn--….")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise AddressError("is not a valid URL.") from None
    if parts.scheme != "https" and not (allow_insecure and parts.scheme == "http"):
        raise AddressError("must begin with https://.")
    if not parts.hostname or port == 0 or "\\" in text:
        raise AddressError("is not a valid URL.")
    if parts.username is not None or parts.password is not None:
        raise AddressError("must not have a user or a password; check the signature instead.")
    if parts.fragment:
        raise AddressError("must not have a fragment.")
    if not allow_insecure:
        try:
            address = ip_address(parts.hostname)
        except ValueError:
            return  # a name
        check_address(address)


def target(url: str) -> httpcore.URL:
    """Returns a checked URL in the form that is connected to."""
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    return httpcore.URL(
        scheme=parts.scheme,
        host=str(parts.hostname),
        port=parts.port,
        target=f"{parts.path or '/'}{query}",
    )


def check_address(address: IPv4Address | IPv6Address) -> None:
    """Raises AddressError unless the address is public: one of a host on the internet."""
    is_public = address.is_global and not address.is_multicast and not address.is_reserved
    if isinstance(address, IPv6Address):
        is_public = (
            is_public
            and address in _UNICAST
            and not any(address in network for network in _TUNNELS)
        )
    if not is_public:
        raise AddressError("names an address that is not public.")


async def addresses_of(host: str, port: int) -> list[str]:
    """Looks up a name; raises OSError or UnicodeError.

    A name server that never answers keeps a thread for half a minute. So each lookup has a thread
    of its own, which delays neither other lookups nor the end of the process.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[str]] = loop.create_future()

    def settle(addresses: list[str], error: Exception | None) -> None:
        if answer.done():
            return  # the caller has given up
        if error is None:
            answer.set_result(addresses)
        else:
            answer.set_exception(error)

    def look_up() -> None:
        addresses: list[str] = []
        error: Exception | None = None
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        except (OSError, UnicodeError) as failed:
            error = failed
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(settle, addresses, error)

    threading.Thread(target=look_up, name="webhook-dns", daemon=True).start()
    return await answer


class CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to public addresses only; the name is resolved once for each connection."""

    def __init__(self, *, allow_insecure: bool) -> None:
        self._network = httpcore.AnyIOBackend()
        self._allow_insecure = allow_insecure

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connects to the first address that answers. One private address refuses the name."""
        try:
            addresses = await addresses_of(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"the name cannot be resolved: {error}") from None
        if not self._allow_insecure:
            for address in addresses:
                check_address(ip_address(address))
        last: Exception | None = None
        for address in addresses:
            try:
                return await self._network.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                last = error
        raise last or httpcore.ConnectError("the name has no address")

    async def sleep(self, seconds: float) -> None:
        """Sleeps."""
        await self._network.sleep(seconds)
