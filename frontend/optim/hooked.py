"""The hooks of one optimizer: around its steps, and around its checkpoints."""

from __future__ import annotations

from graphc.frontend.optim.hooks import Hook, Hooks, RemovableHandle


class Hooked:
    """What can have hooks as optimizers have them."""

    def __init__(self) -> None:
        self._before_step, self._after_step = Hooks(), Hooks()
        self._before_state_dict, self._after_state_dict = Hooks(), Hooks()
        self._before_load, self._after_load = Hooks(), Hooks()

    def register_step_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` before each step.

        A compiled step has the hooks in it: what they do to tensors happens at each run.

        Args:
            hook: ``args`` begin with the optimizer; it may return others, and other ``kwargs``.

        Returns:
            A handle whose ``remove`` takes the hook off.

        Source: ``torch.optim.Optimizer.register_step_pre_hook``.
        """
        return self._before_step.add(hook)

    def register_step_post_hook(self, hook: Hook) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` after each step.

        Args:
            hook: what it returns is ignored.

        Returns:
            A handle whose ``remove`` takes the hook off.

        Source: ``torch.optim.Optimizer.register_step_post_hook``.
        """
        return self._after_step.add(hook)

    def register_state_dict_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer)`` before ``state_dict``.

        Args:
            hook: what it returns is ignored.
            prepend: let it come before the others.

        Returns:
            A handle whose ``remove`` takes the hook off.

        Source: ``torch.optim.Optimizer.register_state_dict_pre_hook``.
        """
        return self._before_state_dict.add(hook, prepend)

    def register_state_dict_post_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` after ``state_dict``.

        Args:
            hook: may change the state, or return another one.
            prepend: let it come before the others.

        Returns:
            A handle whose ``remove`` takes the hook off.

        Source: ``torch.optim.Optimizer.register_state_dict_post_hook``.
        """
        return self._after_state_dict.add(hook, prepend)

    def register_load_state_dict_pre_hook(
        self, hook: Hook, prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` before ``load_state_dict``.

        Args:
            hook: may change the state, which is a shallow copy, or return another one.
            prepend: let it come before the others.

        Returns:
            A handle whose ``remove`` takes the hook off.

        Source: ``torch.optim.Optimizer.register_load_state_dict_pre_hook``.
        """
        return self._before_load.add(hook, prepend)

    def register_load_state_dict_post_hook(
        self, hook: Hook, prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(optimizer)`` after ``load_state_dict``.

        Args:
            hook: what it returns is ignored.
            prepend: let it come before the others.

        Returns:
            A handle whose ``remove`` takes the hook off.

        Source: ``torch.optim.Optimizer.register_load_state_dict_post_hook``.
        """
        return self._after_load.add(hook, prepend)
