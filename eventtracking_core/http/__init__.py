"""The HTTP that sinks share: connections with a deadline, requests, answers."""
