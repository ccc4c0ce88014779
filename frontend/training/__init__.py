"""Around the training step: checkpoints of whole runs, metrics, early stopping, progress, logs."""
