"""Calls of loops and branches."""

FUNCTIONS = """
cond(F3.sum() > 0, lambda x, y: x * y, lambda x, y: (x + y).sin(), (F3, F3))
scan(lambda c, x: (c * 0.5 + x, c * x), F3, F43)
scan(lambda c, x: (c.sin() * x, None), F3, F34, dim=1, reverse=True)
while_loop(lambda x, n: n < 3, lambda x, n: (x.sin() * 2, n + 1), (F3, tensor(0)))
"""
