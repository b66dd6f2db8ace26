"""Files of processes that share them: locks, descriptors, what can be written."""
