"""Checkpoints: nested state in safetensors files, written atomically, checked when read."""
