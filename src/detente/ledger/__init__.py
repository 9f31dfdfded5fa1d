"""Proof that it was said: Merkle tree, checkpoints, witnesses. Bytes only, never what they mean."""
