"""The life of a process: threads, signals, forks, its end."""
