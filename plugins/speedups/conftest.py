"""The tests compare a build with the core: without a build, there is nothing to collect."""

from __future__ import annotations

from eventtracking_core.encoding import plain_weight

collect_ignore_glob = ["tests/*"] if plain_weight is None else []
