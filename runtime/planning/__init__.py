"""From a graph to a plan: what the graph asks for, in which order, and in which memory.

``planner`` is the entry. ``actions`` are what a plan will do, before any order or address;
``dependencies`` and ``hazards`` say which must come before which. ``updates`` writes next values
straight into their variables, ``parts`` operands into larger values, ``reuse`` results over
operands that nobody reads any more, and ``arena`` finds offsets for the rest. ``orders`` are
measured by the memory they need. ``inside`` says what of a scan, a loop or a branch is a program
of its own, and ``nests`` plans that.
"""
