"""A stand-in for a schema registry: the part of Confluent's HTTP API that registers schemas.

See https://docs.confluent.io/platform/current/schema-registry/develop/api.html. It checks neither
schemas nor their compatibility: a test says which subjects it rejects.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import unquote

__all__ = ["SchemaRegistryStub", "schema_registry"]

USER, PASSWORD = "shop", "a secret/word"
JSON = "application/vnd.schemaregistry.v1+json"


class SchemaRegistryStub:
    """What the registry was given, and how it answers."""

    def __init__(self) -> None:
        self.schemas: dict[int, dict[str, str]] = {}
        """By their ids: `subject`, `schemaType` and `schema`."""
        self.rejected: dict[str, int] = {}
        """The status for schemas of a subject."""
        self.status = 200
        """The status for everything."""
        self.first_id = 1
        """Of the schemas."""
        self.requests = 0
        self.url = ""

    def versions(self, subject: str) -> list[int]:
        """Return the ids of the schemas of a subject, oldest first."""
        return [key for key, schema in self.schemas.items() if schema["subject"] == subject]

    def register(self, subject: str, body: dict[str, str]) -> tuple[int, dict[str, object]]:
        """Return the status and the answer to a request that registers a schema."""
        self.requests += 1
        status = self.rejected.get(subject, self.status)
        if status != 200:
            return status, {"error_code": status * 100 + 1, "message": "it is rejected"}
        whole = {"subject": subject, "schemaType": "AVRO"} | body
        for key, schema in self.schemas.items():
            if schema == whole:
                return 200, {"id": key}
        key = self.first_id + len(self.schemas)
        self.schemas[key] = whole
        return 200, {"id": key}


@contextmanager
def schema_registry() -> Iterator[SchemaRegistryStub]:
    """Serve a registry on a free port of this machine."""
    stub = SchemaRegistryStub()
    token = b64encode(f"{USER}:{PASSWORD}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_known = self.headers["Authorization"] == f"Basic {token}"
            if is_known and self.path == "/schemas/types":
                self._reply(200, ["JSON", "PROTOBUF", "AVRO"])
            else:
                self._reply(404 if is_known else 401, {"message": "refused"})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            _, subjects, subject, versions = self.path.split("/")
            if self.headers["Authorization"] != f"Basic {token}":
                status, answer = 401, {"error_code": 40101, "message": "Unauthorized"}
            elif (subjects, versions) != ("subjects", "versions"):
                status, answer = 404, {"error_code": 404, "message": "HTTP 404 Not Found"}
            elif self.headers["Content-Type"] != JSON:
                status, answer = 415, {"error_code": 415, "message": "Unsupported Media Type"}
            else:
                status, answer = stub.register(unquote(subject), body)
            self._reply(status, answer)

        def _reply(self, status: int, answer: object) -> None:
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", JSON)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        stub.url = f"http://shop:a%20secret%2Fword@127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield stub
        finally:
            server.shutdown()
