"""Calls from Python into native code that check and unpack their arguments by themselves."""
