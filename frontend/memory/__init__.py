"""Tensors that share memory: views, writes in place, and what the tape says afterwards."""
