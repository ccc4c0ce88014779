"""A graph that is ready to run, from any thread, any number of times."""

from __future__ import annotations

import functools
import operator
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from graphc.errors import ArgumentError, SessionError
from graphc.graph import Graph
from graphc.runtime.backends import get_backend
from graphc.runtime.reporting.kernel_report import KernelReport, kernel_reports
from graphc.runtime.reporting.profile import Profile, profile_report
from graphc.runtime.reporting.reports import Explanation, MemoryReport, explanation, memory_report
from graphc.runtime.sessions.bindings import Variables
from graphc.runtime.sessions.boxes import Box
from graphc.runtime.sessions.conditions import Conditions, Watched, watch_same
from graphc.runtime.sessions.direct import make_native_calls
from graphc.runtime.sessions.feeds import Feed, Feeds
from graphc.runtime.sessions.forms import CacheInfo, Forms
from graphc.runtime.sessions.locks import RunLocks
from graphc.runtime.sessions.many import StackedRuns, step_count
from graphc.runtime.sessions.native_calls import NativeCalls
from graphc.runtime.sessions.optimizing import Optimize, PassReport
from graphc.runtime.sessions.outputs import given_outputs, same_layout_copy
from graphc.runtime.sessions.pickling import FlatGraph, require_picklable
from graphc.runtime.sessions.specialization import Reservation, Specialization
from graphc.runtime.sessions.specialize import specialize
from graphc.runtime.sessions.structure import Structure, fill, require_known
from graphc.storage import Array

_NO_FEED: Feed = {}


def unoptimized(graph: Graph) -> tuple[Graph, Sequence[PassReport]]:
    """The optimizer that does nothing."""
    return graph, ()


class Link(Protocol):
    """Something outside that has to follow each run, such as the gradients of tensors."""

    def before(self) -> None:
        """Called before each run that is no native call."""
        ...

    def after(self) -> None:
        """Called after it, unless it raised."""
        ...

    def watched(self) -> Sequence[Watched]:
        """While these are as they are, neither has anything to do."""
        ...


class Session:
    """Runs a graph: feeds in, fresh arrays out, variables updated in place.

    Several threads may run one session. Runs that write the same variables go one after the
    other; a run that raises leaves all variables as they were.

    Args:
        graph: the program; sizes of placeholders may be unknown.
        backend: ``llvm`` or ``numpy``.
        threads: how many native code may use for one run, the caller's included; by default
            GRAPHC_NUM_THREADS, OMP_NUM_THREADS or what the system grants this process. Results
            do not depend on it.
        optimize: makes a graph with static shapes better, and says how.
        outputs: the structure that ``run`` returns; leaves are output names. By default a dict of
            all outputs.
        wrap: applied to each returned array, e.g. to make tensors.
        link: what has to follow each run; it does not go with a pickled session.
        box: a class whose instances native calls take as arrays.
        cache_size: how many compiled forms to keep, one per set of input shapes.

    Attributes:
        native: calls of the form that ran last, without Python; None where there are none yet.

    Raises:
        ArgumentError: for an unknown backend or output.
        SessionError: if an update goes to something that cannot be written.

    Example:
        >>> import numpy as np
        >>> from graphc.dtypes import float32
        >>> from graphc.ops.elementwise import add
        >>> from graphc.ops.leaf import placeholder
        >>> from graphc.types import TensorType
        >>> x = placeholder("x", TensorType((2,), float32))
        >>> session = Session(Graph([x], {"twice": add(x, x)}), backend="numpy")
        >>> session.run({"x": [1.0, 2.0]})
        {'twice': array([2., 4.], dtype=float32)}
    """

    def __init__(
        self,
        graph: Graph,
        *,
        backend: str = "llvm",
        threads: int | None = None,
        optimize: Optimize = unoptimized,
        outputs: Structure = None,
        wrap: Callable[[Array], Any] | None = None,
        box: Box | None = None,
        link: Link | None = None,
        cache_size: int = 16,
    ) -> None:
        self._options = {
            "backend": backend, "threads": threads, "optimize": optimize, "outputs": outputs,
            "wrap": wrap, "box": box, "cache_size": cache_size,
        }  # fmt: skip
        self._graph = graph
        self._backend = get_backend(backend, threads)
        self._outputs: Structure = {n: n for n in graph.outputs} if outputs is None else outputs
        self._wrap, self._box = wrap, box
        require_known(self._outputs, graph.outputs)
        self._feeds = Feeds(graph)
        self._variables = Variables(graph)
        self._locks = RunLocks(
            self._variables.versions(written=False), self._variables.versions(written=True)
        )
        self._forms = Forms(
            functools.partial(specialize, graph, backend=self._backend, optimize=optimize),
            cache_size,
        )
        self.native: NativeCalls | None = None
        self._conditions = Conditions()
        self._link = link

    @property
    def graph(self) -> Graph:
        """The program as it was given."""
        return self._graph

    @property
    def backend(self) -> str:
        """The backend's name."""
        return self._backend.name

    def run(self, feed: Feed | None = None, *, out: Mapping[str, Array] | None = None) -> Any:
        """Run once.

        Args:
            feed: a value per placeholder; keys are names or symbolic tensors.
            out: arrays to write outputs into, by output name: C-contiguous, of exactly the
                output's type, sharing no memory with each other, with inputs or with variables.

        Returns:
            The outputs in the session's structure; fresh arrays, unless given in ``out``.

        Raises:
            FeedError: for unknown or missing inputs, or unfit ``out`` arrays.
            ShapeError: if a shape does not fit.
            DTypeError: if a value would be cast unsafely.
            SessionError: after ``close()``.
        """
        native = self.native
        if native is not None and out is None:
            results = native.run(_NO_FEED if feed is None else feed)
            if results is not NotImplemented:
                return results
        return self._filled(self._run_checked(self._feeds.arrays(feed), out))

    def run_many(self, batches: Feed | None = None, *, steps: int | None = None) -> Any:
        """Run many times, one run after the other, without Python in between.

        The runs are those of ``for row in range(steps): run({name: batches[name][row], ...})``,
        and no run of anybody else that touches the same variables comes in between. Python
        numbers such as learning rates are read once, before the first. An interrupt
        (``KeyboardInterrupt``) ends it between two runs: updates of the runs before it stay.

        Args:
            batches: a value per placeholder with one more dim in front, the runs: an array, or a
                list of what ``run`` takes.
            steps: how many runs; only where there are no placeholders to tell it.

        Returns:
            The outputs in the session's structure, each with one more dim in front, the runs.

        Raises:
            ArgumentError: if the number of runs is not known, or another than that of the rows.
            FeedError, ShapeError, DTypeError, SessionError: as ``run``. An error in a run keeps
                the updates of those before it.

        Example:
            >>> from graphc.dtypes import float32
            >>> from graphc.ops.elementwise import add
            >>> from graphc.ops.leaf import placeholder
            >>> from graphc.types import TensorType
            >>> x = placeholder("x", TensorType((2,), float32))
            >>> session = Session(Graph([x], {"twice": add(x, x)}))
            >>> session.run_many({"x": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]})["twice"].tolist()
            [[2.0, 4.0], [6.0, 8.0], [10.0, 12.0]]
        """
        stacked = self._feeds.stacked(batches)
        count = step_count(stacked, steps)
        row = {name: np.empty(array.shape[1:], array.dtype) for name, array in stacked.items()}
        if self._link is not None:
            self._link.before()
        with self._ready(row) as run, self._locks:
            chosen, variables = run.chosen, run.variables
            run.count = count
            for name, array in stacked.items():
                if variables.may_change(array):
                    stacked[name] = array.copy()
            outputs = {
                name: np.empty((count, *node.type.static_shape), node.type.dtype.numpy)
                for name, node in chosen.graph.outputs.items()
            }
            StackedRuns(chosen, run.arena, variables, stacked, outputs).run(count)
        if self._link is not None:
            self._link.after()
        return self._filled(outputs)

    def run_values(self, inputs: Sequence[Any]) -> Iterable[Array]:
        """Like ``run``, with values in the order of the graph's inputs.

        Returns:
            All outputs in the order of the graph's, as arrays.
        """
        native = self.native
        if native is not None:
            results: tuple[Array, ...] = native.flat(*inputs)
            if results is not NotImplemented:
                return results
        return self._run_checked(self._feeds.listed(inputs), None).values()

    def _watch(self, watched: Sequence[Watched]) -> None:
        """Let native calls happen only while these attributes are as they are now."""
        if not watch_same(self._conditions.watched, watched):
            self.set_conditions(Conditions(watched))

    def set_conditions(self, conditions: Conditions) -> None:
        """Let native calls happen only under these conditions."""
        self._conditions = conditions

    def _run_checked(
        self, arrays: dict[str, Array], out: Mapping[str, Array] | None
    ) -> dict[str, Array]:
        """Run with inputs that were checked, and return all outputs by name."""
        native = self.native
        if native is not None and not out:
            results = native.flat(*arrays.values())
            if results is not NotImplemented:
                return dict(zip(self._graph.outputs, results, strict=True))
        if self._link is not None:
            self._link.before()
        with self._ready(arrays) as run, self._locks:
            chosen, variables = run.chosen, run.variables
            if variables.written:
                for name, array in arrays.items():
                    if variables.may_change(array):
                        arrays[name] = array.copy()
            outputs = chosen.fresh_outputs()
            if out:
                outputs |= given_outputs(chosen.graph, out, arrays.values(), variables)
            bases = chosen.bases(arrays, variables, outputs)
            start = time.perf_counter()
            chosen.executable.run(run.arena, bases)
            seconds = time.perf_counter() - start
            chosen.publish(bases, variables)
            run.count = 1
            if self._link is not None:
                self._link.after()
                self._watch(self._link.watched())
            self._offer_native(run, seconds)
        return outputs

    def _offer_native(self, run: Reservation, seconds: float) -> None:
        """Let the runs that follow be native calls, if this was not a form's first, slow one."""
        chosen, state = run.chosen, (run.variables, self._conditions)
        if chosen.runs and not _are(chosen.native_for, state):
            made = make_native_calls(
                run, self._locks, self._outputs, self._wrap, self._box, self._conditions, seconds
            )
            chosen.set_native(made, state)
        self.native = None if self._forms.closed else chosen.native

    def _filled(self, arrays: Mapping[str, Array]) -> Any:
        """The outputs as users want them."""
        if self._wrap is None:
            return fill(self._outputs, arrays)
        return fill(self._outputs, {name: self._wrap(array) for name, array in arrays.items()})

    def cache_info(self) -> CacheInfo:
        """What has been compiled, why, and how long it took."""
        return self._forms.info()

    def explain(self, feed: Feed | None = None) -> Explanation:
        """Passes, kernels, fallbacks, phases and memory; ``print`` it, or use ``as_dict()``.

        Args:
            feed: chooses the compiled form by its shapes; by default the last one that ran.
        """
        return explanation(self._reported(feed), self._backend.name)

    def kernels(self, feed: Feed | None = None) -> tuple[KernelReport, ...]:
        """How the backend executes each step: ``print`` one, or read its ``llvm``, ``assembly``."""
        chosen = self._reported(feed)
        return kernel_reports(chosen.plan, chosen.executable)

    def memory_plan(self, feed: Feed | None = None) -> MemoryReport:
        """The arena's layout, its size, and what it would be without reuse."""
        return memory_report(self._reported(feed).plan)

    def profile(self, feed: Feed | None = None, *, runs: int = 10) -> Profile:
        """Time each step, on copies of the variables: nothing is updated.

        Args:
            feed: a value per placeholder.
            runs: how many runs to time, after one to warm up.
        """
        if runs < 1:
            raise ArgumentError("runs must be positive", got=str(runs))
        arrays = self._feeds.arrays(feed)
        samples = []
        with self._ready(arrays) as run:
            chosen = run.chosen
            for _ in range(runs + 1):
                with self._locks:
                    bases = chosen.bases(arrays, run.variables, chosen.fresh_outputs())
                    for number in chosen.plan.written:
                        bases[number] = same_layout_copy(bases[number])
                    samples.append(chosen.executable.timed(run.arena, bases))
            run.count = runs + 1
            return profile_report(chosen, samples[1:])

    def close(self) -> None:
        """Free compiled code and memory; runs that are under way end first."""
        self._forms.close()
        self.native = None

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._forms.closed else f"{len(self._forms)} compiled"
        return f"<Session on {self._backend.name}: {len(self._graph)} nodes, {state}>"

    def __reduce__(self) -> tuple[Any, ...]:
        self._require_open()
        require_picklable(self._graph, self._options)
        return (_restore, (FlatGraph(self._graph), self._options))

    def _require_open(self) -> None:
        if self._forms.closed:
            raise SessionError("the session is closed", fix="compile the graph again")

    def _ready(self, arrays: Mapping[str, Array]) -> Reservation:
        """The compiled form that fits these inputs, kept open, and where the variables are."""
        self._require_open()
        return self._forms.reserve(self._feeds.sizes(arrays), self._variables.snapshot())

    def _reported(self, feed: Feed | None) -> Specialization:
        """The compiled form that a report is about; made if it can be without a feed."""
        self._require_open()
        if feed is not None:
            with self._ready(self._feeds.arrays(feed)) as run:
                return run.chosen
        latest = self._forms.latest()
        if latest is not None:
            return latest
        unknown = [node.attrs["name"] for node in self._graph.inputs if not node.type.is_static]
        if unknown:
            raise SessionError(
                "nothing is compiled yet: sizes are known only from a feed",
                got=f"unknown sizes in {', '.join(map(repr, unknown))}",
                fix="run the session first, or give this call a feed",
            )
        with self._ready({}) as run:
            return run.chosen


def _restore(flat: FlatGraph, options: dict[str, Any]) -> Session:
    return Session(flat.graph, **options)


def _are(these: tuple[object, ...], those: tuple[object, ...]) -> bool:
    """Whether they are the same objects."""
    return len(these) == len(those) and all(map(operator.is_, these, those))
