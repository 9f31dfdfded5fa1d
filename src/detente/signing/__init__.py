"""Who said it: keys, two-signature envelopes, sealing."""
