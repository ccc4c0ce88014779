"""Sessions: graphs that are ready to run, from any thread, any number of times.

``session`` is the entry. A session keeps ``forms``: one ``specialization`` for each set of sizes,
made by ``specialize`` with an optimizer (``optimizing``). ``feeds`` checks what users give,
``structure`` and ``outputs`` shape what they get, ``bindings`` finds the memory of variables,
which ``locks`` guard. ``direct`` makes runs ``native_calls`` where ``conditions`` hold, ``boxes``
are the tensors that such calls take and make, and ``many`` runs over rows.
"""
