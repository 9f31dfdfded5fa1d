"""Schema migrations, oldest first; each revision has a test that starts from the one before."""
