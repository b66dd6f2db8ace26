"""What happens to a process: threads, signals, forks, its end."""
