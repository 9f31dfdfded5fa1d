"""The shell: all input and output happens here."""
