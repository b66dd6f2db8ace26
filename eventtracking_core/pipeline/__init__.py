"""The active configuration of a tracker, and its replacement by the next one."""
