"""The independent checker of plans: it trusts nothing that the planner says.

``check_plan`` in ``plan`` is the entry: it follows every value through memory. ``geometry`` says
where the elements of operands lie, ``memory`` whose value lies where, ``hazards`` what steps may
do where they read, and ``inside`` follows programs inside steps.
"""
