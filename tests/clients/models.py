"""A server that answers as OpenAI's and Anthropic's do, for the examples of documents."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.clients.llm_responses import CHAT, MESSAGE, chat_chunks, message_events


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        is_openai = self.path.endswith("/chat/completions")
        if request.get("stream"):
            kind, body = "text/event-stream", _chat_stream() if is_openai else _message_stream()
        else:
            kind, body = "application/json", json.dumps(CHAT if is_openai else MESSAGE)
        content = body.encode()
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its own signature
        """Says nothing."""


def _chat_stream() -> str:
    chunks = [f"data: {chunk.model_dump_json()}\n\n" for chunk in chat_chunks()]
    return "".join(chunks) + "data: [DONE]\n\n"


def _message_stream() -> str:
    return "".join(
        f"event: {event.type}\ndata: {event.model_dump_json()}\n\n" for event in message_events()
    )


@contextmanager
def served_models() -> Iterator[dict[str, str]]:
    """The variables with which both SDKs find the server."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield {
                "OPENAI_API_KEY": "key",
                "OPENAI_BASE_URL": f"{url}/v1",
                "ANTHROPIC_API_KEY": "key",
                "ANTHROPIC_BASE_URL": url,
            }
        finally:
            server.shutdown()
            thread.join()
