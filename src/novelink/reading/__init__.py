"""How a document becomes model input: one marked copy per pair, or the whole document once."""
