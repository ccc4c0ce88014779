"""Plans of random programs in native code: in place, strided and packed memory included."""

import numpy as np
from hypothesis import given, settings

from graphc.evaluate import evaluate
from graphc.runtime.sessions.session import Session
from tests.random_graphs import Program, programs


@settings(max_examples=60)
@given(programs())
def test_native_code_gives_the_values_of_evaluate(program: Program) -> None:
    wanted, updates = evaluate(program.graph, program.feed)
    wanted = {name: np.array(array) for name, array in wanted.items()}
    updates = {node: np.array(array) for node, array in updates.items()}
    with Session(program.graph, backend="llvm") as session:
        outputs = session.run(program.feed)
    for name, array in wanted.items():
        assert (outputs[name].shape, outputs[name].dtype) == (array.shape, array.dtype)
        np.testing.assert_allclose(outputs[name], array, rtol=1e-6, atol=1e-6)
    for node, array in updates.items():
        np.testing.assert_allclose(node.attrs["source"].array, array, rtol=1e-6, atol=1e-6)
