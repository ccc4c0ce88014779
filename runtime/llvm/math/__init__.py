"""Vector math: elementary functions written as straight-line vector code."""
