"""The sockets that the API and workers listen on."""

import errno
import ipaddress
import socket

STALLED_READER_SECONDS = 60


class ListenError(RuntimeError):
    """The API cannot listen on an address; the message says why and what to do."""


def listen(host: str, port: int, *, variable: str = "METERGRAPH_PORT") -> socket.socket:
    """Returns a listening socket; port 0 takes any free port. `variable` is the port's setting.

    uvicorn's own would log the reason and exit, and would not give up on stalled readers.

    Raises:
        ListenError: the port is in use or not allowed, or there is no such address.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise ListenError(f"There is no address {host} to listen on: {error.strerror}.") from None
    family, kind, protocol, _, address = found[0]
    listening = socket.socket(family, kind, protocol)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        _give_up_on_stalled_readers(listening)
        listening.bind(address)
        listening.listen(2048)
    except OSError as error:
        listening.close()
        raise ListenError(_reason(error, host, port, variable)) from None
    return listening


def _give_up_on_stalled_readers(listening: socket.socket) -> None:
    """Lets the kernel close connections whose clients stop reading; connections inherit it.

    Otherwise a subscriber that never reads could keep its connection, and a stream its task, for as
    long as it likes.
    """
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STALLED_READER_SECONDS * 1000)


def is_public(listening: socket.socket) -> bool:
    """Whether other machines may reach it, beyond the loopback interface."""
    return not ipaddress.ip_address(listening.getsockname()[0].partition("%")[0]).is_loopback


def url(listening: socket.socket, host: str) -> str:
    """The URL of a socket that listens on `host`."""
    port = listening.getsockname()[1]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def local_url(listening: socket.socket, host: str) -> str:
    """The URL for a browser on this machine."""
    is_every = host in {"0.0.0.0", "::", ""}  # noqa: S104  # compared only
    return url(listening, "127.0.0.1" if is_every else host)


def _reason(error: OSError, host: str, port: int, variable: str) -> str:
    if variable != "METERGRAPH_PORT":
        return f"A worker cannot listen on {host}, port {port} ({variable}): {error.strerror}."
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is in use. Stop what uses it, or choose another with "
            f"--port {port + 1} or METERGRAPH_PORT={port + 1}."
        )
    if error.errno == errno.EACCES:
        return f"Port {port} needs more rights than you have. Choose one above 1023 with --port."
    return f"The API cannot listen on {host}, port {port}: {error.strerror}."
