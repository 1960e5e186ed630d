"""A client that costs little, so that the server is what is measured: HTTP/1.1 kept alive."""

import asyncio
from dataclasses import dataclass
from typing import Self


class UnexpectedAnswerError(RuntimeError):
    """An answer whose status is not 200."""


@dataclass
class HttpConnection:
    """One connection; one request at a time."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    head: bytes

    @classmethod
    async def open(cls, host: str, port: int, token: str) -> Self:
        """Connects."""
        reader, writer = await asyncio.open_connection(host, port, limit=16 * 1024 * 1024)
        head = (
            f"host: {host}:{port}\r\nauthorization: Bearer {token}\r\n"
            if token
            else (f"host: {host}:{port}\r\n")
        )
        return cls(reader, writer, head.encode())

    async def get(self, path: str) -> bytes:
        """The body of the answer."""
        self.writer.write(b"GET %b HTTP/1.1\r\n%b\r\n" % (path.encode(), self.head))
        return await self._answer()

    async def post(
        self, body: bytes, path: str = "/graphql", media: str = "application/json"
    ) -> bytes:
        """The body of the answer to a request, by default of GraphQL."""
        self.writer.write(
            b"POST %b HTTP/1.1\r\n%bcontent-type: %b\r\ncontent-length: %d\r\n\r\n%b"
            % (path.encode(), self.head, media.encode(), len(body), body)
        )
        return await self._answer()

    async def close(self) -> None:
        """Closes the connection."""
        self.writer.close()
        await self.writer.wait_closed()

    async def _answer(self) -> bytes:
        head = await self.reader.readuntil(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        lengths = [line for line in lines if line.lower().startswith(b"content-length:")]
        body = await self.reader.readexactly(int(lengths[0].split(b":")[1]))
        if lines[0].split()[1] != b"200":
            raise UnexpectedAnswerError(f"{lines[0].decode()}: {body.decode()[:500]}")
        return body
