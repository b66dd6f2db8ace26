"""A catalogue of event types: their meaning, emitters, routing and counts."""

__all__: list[str] = []
