"""``with gc.Graph() as graph``: record, look at the program, compile it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from graphc.dims import Size
from graphc.dtypes import DTypeLike, float32
from graphc.errors import GraphcError, RecordingError
from graphc.frontend.compile.options import CompileOptions, Numerics, OptLevel
from graphc.frontend.compile.session import make_session
from graphc.frontend.modes import modes
from graphc.frontend.recording.grad_slots import GradLink
from graphc.frontend.recording.recorder import Recorder
from graphc.frontend.recording.rollback import roll_back
from graphc.frontend.structure import flatten
from graphc.graph import Graph as CoreGraph
from graphc.node import Node
from graphc.provenance import user_location_text
from graphc.runtime.sessions.session import Session

if TYPE_CHECKING:
    import networkx

    from graphc.frontend.tensor import Tensor


class Graph:
    """A program under construction: operations inside the ``with`` block are recorded.

    Example:
        >>> import graphc as gc
        >>> with gc.Graph() as graph:
        ...     x = gc.placeholder((None,), name="x")
        ...     y = (x * 2).sum()
        >>> graph.compile(outputs=y, backend="numpy").run({"x": [1.0, 2.0]})
        array(6., dtype=float32)
    """

    def __init__(self) -> None:
        self.recorder = Recorder()
        self._outer: list[Recorder | None] = []
        self._is_recorded = False
        self.structure: Any = None

    def __enter__(self) -> Graph:
        self._outer.append(modes.recorder)
        modes.recorder = self.recorder
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        modes.recorder = self._outer.pop()
        if error is None:
            self._is_recorded = True
        elif not self._is_recorded:  # else what was recorded before uses the state that was made
            roll_back(self.recorder)

    # --- looking at it ----------------------------------------------------------------------

    @property
    def program(self) -> CoreGraph:
        """The graph as recorded so far, as passes and backends see it."""
        outputs = dict(self.recorder.outputs)
        if self.structure is not None:
            names, tensors, _ = flatten(self.structure)
            outputs |= zip(names, tensors, strict=True)
        return self.recorder.program(outputs)

    @property
    def inputs(self) -> tuple[Node, ...]:
        """The placeholder nodes, in order."""
        return self.program.inputs

    @property
    def outputs(self) -> Mapping[str, Node]:
        """The marked outputs, or what a traced function returned, by name."""
        return self.program.outputs

    @property
    def updates(self) -> Mapping[Node, Node]:
        """The next value of each variable that the program writes."""
        return self.program.updates

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes that outputs and updates need, operands first."""
        return self.program.nodes

    @property
    def dag(self) -> networkx.MultiDiGraph[Node]:
        """The nodes as a networkx graph; edges carry the operand's ``position``."""
        return self.program.dag

    def __len__(self) -> int:
        return len(self.program)

    def __str__(self) -> str:
        return str(self.program)

    def lower(
        self, to: str | None = None, *, optimize: OptLevel = "O2", disable: Iterable[str] = (),
        numerics: Numerics = "strict",
    ) -> CoreGraph:  # fmt: skip
        """The graph after a named pass, or after all of them.

        Args:
            to: name of the last pass to run, e.g. ``"fuse"``.
            optimize: ``"O0"``, ``"O1"`` or ``"O2"``.
            disable: names of passes to leave out.
            numerics: ``"strict"``, ``"stable"`` or ``"fast"``.

        Raises:
            ArgumentError: for an unknown pass, level or numerics.
        """
        options = CompileOptions(optimize=optimize, disable=disable, numerics=numerics)
        try:
            return options.optimizer(stop_after=to)(self.program)[0]
        except GraphcError as error:
            raise error.located(user_location_text()) from None

    # --- making it --------------------------------------------------------------------------

    def placeholder(
        self, shape: Sequence[Size | str | None], dtype: DTypeLike = float32,
        name: str | None = None, requires_grad: bool = False,
    ) -> Tensor:  # fmt: skip
        """Add an input; see ``gc.placeholder``."""
        return self.recorder.placeholder(shape, dtype, name, requires_grad)

    def output(self, tensor: Tensor, name: str | None = None) -> Tensor:
        """Mark a result, so that sessions return it under this name.

        Args:
            tensor: a value of this graph.
            name: default: ``output0``, ``output1``, ...
        """
        self.recorder.mark_output(tensor, name or f"output{len(self.recorder.outputs)}")
        return tensor

    def compile(
        self,
        outputs: Any = None,
        backend: str = "llvm",
        optimize: OptLevel = "O2",
        disable: Iterable[str] = (),
        threads: int | None = None,
        numerics: Numerics = "strict",
    ) -> Session:
        """Make a session that runs the program.

        Args:
            outputs: tensor, list, tuple or dict of tensors; ``run`` returns the same structure.
                Default: the marked outputs, as a dict.
            backend: ``"llvm"`` (native code) or ``"numpy"`` (the reference).
            optimize: ``"O0"`` (nothing), ``"O1"`` (without fusion) or ``"O2"``.
            disable: names of passes to leave out.
            threads: how many threads native code may use; None: what the machine allows.
            numerics: ``"strict"`` (rules keep every bit), ``"stable"`` (rules may gain accuracy)
                or ``"fast"`` (rules may also reassociate).

        Returns:
            A frozen session; variables stay shared with the tensors they are bound to.

        Raises:
            ArgumentError: for an unknown backend, level, pass or numerics.
        """
        options = CompileOptions(backend, optimize, disable, threads, numerics)
        wanted = self.structure if outputs is None else outputs
        wanted = dict(self.recorder.outputs) if wanted is None else wanted
        slots = self.recorder.gradients.concrete_slots
        return make_session(
            wanted, self.recorder.program, options, GradLink(slots) if slots else None
        )


def placeholder(
    shape: Sequence[Size | str | None], dtype: DTypeLike = float32, name: str | None = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """An input of the graph that is being recorded.

    Args:
        shape: sizes; a name (``"batch"``) is a size known at run time, None one without a name.
        dtype: element type.
        name: the key for ``session.run``; default ``x0``, ``x1``, ...
        requires_grad: let gradients with respect to it be taken by ``backward``.

    Raises:
        RecordingError: outside ``with gc.Graph()``.
    """
    if modes.recorder is None:
        raise RecordingError(
            "placeholder: no graph is being recorded",
            fix="use it inside `with gc.Graph() as graph:`",
            where=user_location_text(),
        )
    recorder: Recorder = modes.recorder
    return recorder.placeholder(shape, dtype, name, requires_grad)
