"""Training: vocabulary, pretraining, the four-task loop, folds and export (needs torch)."""
