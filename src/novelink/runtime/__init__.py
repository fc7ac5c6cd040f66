"""Exported models on onnxruntime: load, batch, run. Nothing here needs torch."""
