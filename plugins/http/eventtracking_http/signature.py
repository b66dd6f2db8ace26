"""Signatures of requests, in the form of Standard Webhooks 1.0.0 (standardwebhooks.com)."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Sequence
from hashlib import sha256
from time import time

__all__ = ["Signer"]

_PREFIX = "whsec_"


class Signer:
    """Makes the headers `webhook-id`, `webhook-timestamp` and `webhook-signature`.

    Args:
        secret: shared with the receiver: base64 text, with or without the prefix `whsec_`.

    Raises:
        ValueError: the secret is not base64, or shorter than 24 bytes.
    """

    def __init__(self, secret: str) -> None:
        try:
            self._key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except binascii.Error:
            raise ValueError("secret must be base64 text") from None
        if len(self._key) < 24:  # noqa: PLR2004  what the standard recommends at least
            raise ValueError("secret must be at least 24 bytes long")

    def headers(self, ids: Sequence[str], body: bytes) -> dict[str, str]:
        """Return the headers that sign a body.

        Args:
            ids: of its events: the id of the request is the same whenever it is sent again.
            body: the body.
        """
        identity = " ".join(ids)
        if len(ids) > 1 or not (identity.isascii() and identity.isprintable()):
            identity = sha256(identity.encode(errors="replace")).hexdigest()
        seconds = str(int(time()))
        signed = f"{identity}.{seconds}.".encode() + body
        signature = base64.b64encode(hmac.new(self._key, signed, sha256).digest()).decode()
        return {
            "webhook-id": identity,
            "webhook-timestamp": seconds,
            "webhook-signature": f"v1,{signature}",
        }
