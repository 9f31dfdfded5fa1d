"""Many nodes in one process, faults included."""
