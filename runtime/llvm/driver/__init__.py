"""From native steps to a program that runs.

``translate`` goes through a plan and writes native functions; ``program`` writes the calls in one,
``control`` repeats programs, ``regions`` says which phases share a parallel region, ``tasks`` what
a thread does of it. Steps that run programs have more: ``before_loops`` copies weights and first
values, ``control_places`` says where a program's inputs are, and ``divided_scan`` gives each
thread rows of a scan whose ``row_parts`` look at no other rows. ``executable`` runs the result
from Python, at ``addresses`` of arrays, and ``clock`` and ``times`` say how long its steps took.
"""
