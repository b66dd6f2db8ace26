"""Replace identifiers of people with pseudonyms: the same one for the same value."""

from __future__ import annotations

import hmac
import json
from datetime import datetime
from typing import Any, Final

from eventtracking_core.encoding import id_text, normalize
from eventtracking_core.processors._personal import FieldProcessor, Unclassified

__all__ = ["Pseudonymize"]

SHORTEST_KEY: Final = 32
"""Characters."""

LENGTH: Final = 32
"""Hexadecimal digits of a pseudonym, 128 bits: RFC 2104 wants no fewer."""

_SCALARS: Final = frozenset({str, int, bool, type(None)})


class Pseudonymize(FieldProcessor):
    """Replace values by keyed pseudonyms: the same value has the same one. Fails closed.

    A pseudonym is the first half of the HMAC-SHA256 of the value, in 32 hexadecimal digits. It
    depends on the key and the value alone: not on the field, the process or the time. A number has
    the pseudonym of its text: `5`, `5.0` and `"5"` are one user. Of a list, each element is
    replaced; what has fields is replaced as a whole; null stays null, and so do NaN and infinities,
    which are null in JSON.

    Args:
        key: a secret of at least 32 characters: `"${PSEUDONYM_KEY}"`. With it, a guessed value can
            be compared with a pseudonym; another key makes other pseudonyms.
        fields: dotted fields: `["context.user_id"]`.
        pii: classes of personal data: the fields that registered types declare to hold it.
        unclassified: with `pii`, whether an event of a type that is not registered is dropped, or
            passes with only `fields` replaced.

    Raises:
        ValueError: the key is too short, there is neither field nor class, or a field lies neither
            below `context` nor below `data`.
    """

    def __init__(
        self,
        key: str,
        fields: list[str] | None = None,
        pii: list[str] | None = None,
        unclassified: Unclassified = "drop",
    ) -> None:
        if len(key) < SHORTEST_KEY:
            raise ValueError("key must have at least 32 characters: openssl rand -hex 32")
        super().__init__(fields, pii, unclassified)
        self._keyed = hmac.new(key.encode(), digestmod="sha256")  # the key itself is not kept

    def _change(self, mapping: dict[str, Any], key: str) -> None:
        value = mapping[key]
        mapping[key] = self._pseudonym(value if type(value) in _SCALARS else normalize(value))

    def _pseudonym(self, value: object) -> Any:
        if value is None:
            return None
        if isinstance(value, list):
            return [self._pseudonym(item) for item in value]
        keyed = self._keyed.copy()
        keyed.update(_text(value).encode("utf-8", "surrogatepass"))
        return keyed.hexdigest()[:LENGTH]


def _text(value: object) -> str:
    """Return what stands for a value: text as it is, all else as JSON."""
    if (text := value if isinstance(value, str) else id_text(value)) is not None:
        return text
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), default=datetime.isoformat)
    except ValueError:  # a number of more digits than the interpreter prints
        return str(normalize(value))
