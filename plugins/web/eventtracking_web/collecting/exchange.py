"""One request and its answer, without any input or output."""

from __future__ import annotations

from datetime import UTC, datetime

from eventtracking_core.contexts.request import Request
from eventtracking_web.collecting.answers import Answer, RefusedError
from eventtracking_web.collecting.body import Body
from eventtracking_web.collecting.policy import Policy

__all__ = ["Exchange"]


class Exchange:
    """A request: `answer` is set as soon as it is known, which may be before the body arrives.

    Args:
        policy: the checks.
        request: without its body.
        query: the query string, which must be empty.
    """

    def __init__(self, policy: Policy, request: Request, query: str) -> None:
        self.answer: Answer | None = None
        self._policy = policy
        self._request = request
        self._headers: list[tuple[str, str]] = []
        self._body = Body("", None)
        self._address = ""
        try:
            self._begin(query)
        except RefusedError as error:
            self.refuse(error)

    @property
    def size(self) -> int:
        """How many bytes of the body there are so far, inflated."""
        return len(self._body)

    def feed(self, chunk: bytes) -> Answer | None:
        """Take a part of the body; return the answer if it is known."""
        if self.answer is None:
            try:
                self._body.add(chunk)
            except RefusedError as error:
                return self.refuse(error)
        return self.answer

    def end(self) -> Answer:
        """Return the answer, at the end of the body. Events are queued or stored then."""
        if self.answer is None:
            try:
                result = self._policy.accept(
                    self._request, self._address, self._body.end(), datetime.now(UTC)
                )
            except RefusedError as error:
                return self.refuse(error)
            self.answer = Answer.of(200, result, self._headers)
        return self.answer

    def refuse(self, error: RefusedError) -> Answer:
        """Answer with an error."""
        self.answer = error.answer(self._headers)
        return self.answer

    def _begin(self, query: str) -> None:
        request = self._request
        self._headers = self._policy.check_origin(request.header("origin"))
        if request.method == "OPTIONS":
            self.answer = Answer(204, [*self._headers, *_PREFLIGHT], b"")
            return
        if request.method != "POST":
            raise RefusedError(405, "send events with POST")
        if query:
            raise RefusedError(400, "the address must have no query string")
        kind = (request.header("content-type") or "").partition(";")[0].strip().lower()
        if kind not in {"application/json", "text/plain"}:
            raise RefusedError(415, "Content-Type must be application/json or text/plain")
        encoding = (request.header("content-encoding") or "").strip().lower()
        self._body = Body(encoding, request.header("content-length") or None)
        self._address = self._policy.admit(request)


_PREFLIGHT = [
    ("access-control-allow-methods", "POST"),
    ("access-control-allow-headers", "content-type, content-encoding"),
    ("access-control-max-age", "600"),
]
