"""Side by side with peers: what an event costs here, and what it costs elsewhere."""
