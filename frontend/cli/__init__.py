"""The command ``graphc``."""
