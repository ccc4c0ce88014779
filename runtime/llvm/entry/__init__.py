"""Calls from Python into native code that check and unpack their arguments by themselves.

``entry`` makes builtin functions of a program. Each has a ``record``: words that Python writes and
native code reads. ``checks`` decides whether a call is ordinary, ``execute`` runs it, ``results``
puts together what it returns, and ``steps`` runs it many times. ``code`` writes such functions,
``objects`` knows where Python and numpy keep things, and ``library`` compiles all once.
"""
