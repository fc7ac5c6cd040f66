"""Encoder, task heads and joint loss (needs torch)."""
