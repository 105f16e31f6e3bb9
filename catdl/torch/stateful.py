"""What generated code may import: a network with states, as a function of them and with buffers that a call moves.

state = model.initial_state(32)              # for a batch of 32 samples
y, state = model.step_with(state, x)              # a function: no buffer is read or written
y = model(x)                                 # the buffers hold the state; a call moves them
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn


class Stateful(nn.Module):
    """A network whose results depend on what it keeps from one call to the next.

    `_states` are the keys of the states that `_step` takes after the inputs and gives after the results. `_sampled`
    are those that differ from sample to sample, with the number of their own axes; `_batched` is the place of an input
    that does, too, and the number of its own; None for that of the segments of packed samples, which stand after
    `_inputs` tensors.
    """

    _states: ClassVar[tuple[str, ...]] = ()
    _sampled: ClassVar[dict[str, int]] = {}
    _batched: ClassVar[tuple[int, int | None]] = (0, 0)
    _inputs: ClassVar[int | None] = None

    def __init__(self) -> None:
        super().__init__()
        self._call = (_Step(self),)  # no submodule: it has no weights of its own

    def _begin(self) -> dict[str, Tensor]:
        raise NotImplementedError

    def _step(self, *inputs: Any) -> Any:
        raise NotImplementedError

    def initial_state(self, *batch: int) -> dict[str, Tensor]:
        """The state that everything begins with, for inputs with these batch axes."""
        found = {}
        for key, value in self._begin().items():
            held = self.get_buffer(key)
            value = value.to(held.device, held.dtype)
            found[key] = value.expand((*batch, *value.shape)) if key in self._sampled else value
        return found

    def reset_state(self) -> None:
        """Begin anew, with the next batch."""
        for key, value in self.initial_state().items():
            self._keep(key, value)

    def step_with(self, state: Mapping[str, Tensor], *inputs: Any) -> tuple[Any, dict[str, Tensor]]:
        """The results and the next state: a function, which leaves the buffers alone and has gradients of both."""
        batch = self._batch(inputs)
        own = [self._fitting(key, state[key], batch) for key in self._states]
        moved = {key: value.clone() for key, value in state.items() if key not in self._states}
        if moved:  # running statistics, which torch's layers write in place
            weights = {f"module.{key}": value for key, value in moved.items()}
            made = torch.func.functional_call(self._call[0], weights, self._among(inputs, own))
        else:
            made = self._step(*self._among(inputs, own))
        results, new = self._parted(made)
        return results, moved | dict(zip(self._states, new, strict=True))

    def _advance(self, *inputs: Any) -> Any:
        """The results, and in the buffers what the states hold then; no gradient goes from call to call."""
        batch = self._batch(inputs)
        held = [self._fitting(key, self._held(key, batch), batch) for key in self._states]
        results, new = self._parted(self._step(*self._among(inputs, held)))
        for key, value in zip(self._states, new, strict=True):
            self._keep(key, value.detach())
        return results

    def _among(self, inputs: tuple[Any, ...], states: list[Tensor]) -> tuple[Any, ...]:
        """What `_step` takes, in its order."""
        return (*inputs[: self._inputs], *states, *(inputs[self._inputs :] if self._inputs is not None else ()))

    def _parted(self, made: Any) -> tuple[Any, tuple[Tensor, ...]]:
        parts = made if isinstance(made, tuple) else (made,)
        count = len(parts) - len(self._states)
        return parts[0] if count == 1 else parts[:count], parts[count:]

    def _batch(self, inputs: tuple[Any, ...]) -> tuple[int, ...]:
        """The batch axes of a call, where a state has them."""
        if not self._sampled:
            return ()
        place, own = self._batched
        given = inputs[place]
        if own is None:  # offsets, or the segments that are made of them
            return (given.numel() - 1 if isinstance(given, Tensor) else given.count,)
        return tuple(given.shape[: given.ndim - own])

    def _held(self, key: str, batch: tuple[int, ...]) -> Tensor:
        """What a buffer holds for a batch: one that has just begun holds it once for all samples."""
        own, value = self._sampled.get(key), self.get_buffer(key)
        if torch.is_grad_enabled():
            value = value.clone()  # what gradients need of it stays when the call writes the buffer
        return value if own is None or value.ndim > own else value.expand((*batch, *value.shape))

    def _fitting(self, key: str, value: Tensor, batch: tuple[int, ...]) -> Tensor:
        """A state that has the batch axes of the inputs."""
        own = self._sampled.get(key)
        if own is not None and tuple(value.shape[: value.ndim - own]) != batch:
            raise ValueError(
                f"the state {key} is of a batch of shape {tuple(value.shape[: value.ndim - own])}, the inputs of "
                f"{batch}; reset_state() and initial_state(*batch) begin another batch"
            )
        return value

    def _keep(self, key: str, value: Tensor) -> None:
        held = self.get_buffer(key)
        if held.shape == value.shape:
            held.copy_(value)
        else:  # another batch
            holder, _, name = key.rpartition(".")
            setattr(self.get_submodule(holder), name, value.clone())


def step_with(module: nn.Module, state: Mapping[str, Tensor], *inputs: Any) -> tuple[Any, dict[str, Tensor]]:
    """The results and the next state of any network, also of one that keeps nothing but torch's running statistics.

    The state of such a plain module is that of its buffers: `dict(module.named_buffers())`.
    """
    if isinstance(module, Stateful):
        return module.step_with(state, *inputs)
    moved = {key: value.clone() for key, value in state.items()}
    return torch.func.functional_call(module, moved, inputs), moved


class _Step(nn.Module):
    """The step of a network as a call, which `torch.func.functional_call` needs."""

    def __init__(self, module: Stateful) -> None:
        super().__init__()
        self.module = module

    def forward(self, *inputs: Tensor) -> Any:
        return self.module._step(*inputs)
