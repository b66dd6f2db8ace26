"""What sinks that speak HTTP share: connections with a deadline, requests, answers."""
