"""Rewrite rules: each a pattern, its replacement and its equation."""
