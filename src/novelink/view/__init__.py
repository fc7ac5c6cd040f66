"""Documents to look at: one self-contained page, and a fragment for notebooks."""
