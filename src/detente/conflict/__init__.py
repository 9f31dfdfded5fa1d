"""Would we meet: the check of 4D volumes against each other."""
