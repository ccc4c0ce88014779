"""Parts of the planner: what a graph asks for, in which order, and in which memory.

``actions`` are what a plan will do, before any order or address; ``dependencies`` and ``hazards``
say which must come before which. ``updates`` writes next values straight into their variables,
``parts`` operands into larger values, ``reuse`` results over operands that nobody reads any more,
and ``arena`` finds offsets for the rest. ``planner`` beside this folder uses them all.
"""
