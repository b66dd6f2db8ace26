"""A catalogue of event types: what events mean, who emits them, where they go, and how many."""

__all__: list[str] = []
