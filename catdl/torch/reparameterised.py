"""What generated code may import: a module that makes weights out of its parameters before it uses them.

In evaluation, without gradients, what it makes is kept until a parameter changes. `merge_weights` puts what is made
into the parameter that it is made of, so that nothing is made any more; `unmerge_weights` puts back what was there.

    model.merge_weights()        linear.weight is weight + up @ down, and a call is that of the plain layer
    model.unmerge_weights()      linear.weight is as it was
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_post_hook

Key = tuple[Any, ...]


# How often any optimiser has made a step: fused ones write into parameters without a sign on these.
_optimised = [0]


def _count_step(*_: object) -> None:
    _optimised[0] += 1


register_optimizer_step_post_hook(_count_step)


class Kept:
    """What was made last and of what. A copy, or one read from a file, is empty."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        self.found: tuple[tuple[Tensor, ...], Key, tuple[Tensor, ...]] | None = None

    def __reduce__(self) -> tuple[type[Kept], tuple[()]]:
        return Kept, ()


class Reparameterised(nn.Module):
    """A module some of whose weights are made of its parameters, by `_make`, or that holds such modules.

    `_sources` names the parameters, and the modules of parameters, that it reads. `_leaves` names for each weight the
    parameter that it may be merged into, which nothing else reads; empty for none.
    """

    _sources: tuple[str, ...] = ()
    _leaves: tuple[str, ...] = ()

    def __init__(self) -> None:
        super().__init__()
        self._kept = Kept()
        self._originals: dict[str, Tensor] = {}

    def _make(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        raise NotImplementedError

    def _made(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """The weights: merged ones, those kept from the last call, or new ones."""
        if self._originals:
            merged = [self.get_parameter(leaf).detach() if leaf else None for leaf in self._leaves]
            if all(leaf is not None for leaf in merged):
                return tuple(leaf for leaf in merged if leaf is not None)
            made = self._made_anew(*inputs)
            return tuple(new if old is None else old for old, new in zip(merged, made, strict=True))
        return self._made_anew(*inputs)

    def _made_anew(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        if self.training or torch.is_grad_enabled() or torch.compiler.is_compiling() or torch._C._get_tracing_state():
            return self._make(*inputs)
        if getattr(self, "_is_fsdp_managed_module", False):  # what is gathered is new, though it looks as it did
            return self._make(*inputs)
        sources = (*self._tensors(), *inputs)
        if not all(map(_is_plain, sources)):
            return self._make(*inputs)
        device = sources[0].device.type
        cast = torch.is_autocast_enabled(device) and torch.get_autocast_dtype(device)
        key = (_optimised[0], torch.is_inference_mode_enabled(), cast, *map(_state, sources))
        found = self._kept.found
        if found is not None and found[1] == key and all(a is b for a, b in zip(found[0], sources, strict=True)):
            return found[2]
        made = self._make(*inputs)
        self._kept.found = sources, key, made
        return made

    def _tensors(self) -> Iterator[Tensor]:
        for source in self._sources:
            tensor = self._parameters.get(source)
            if tensor is not None:
                yield tensor
                continue
            holder, _, name = source.rpartition(".")
            module = self.get_submodule(holder)
            if name in module._modules:
                yield from module.get_submodule(name).parameters()
            else:
                yield getattr(module, name)  # a plain tensor under `torch.func.functional_call`

    def merge_weights(self) -> None:
        """Put what is made of a parameter in its place, here and in every module inside; again, it does nothing.

        Until `unmerge_weights` the state dict has the merged weights beside whatever they were made with, none of
        these gets a gradient, and neither training nor loading is allowed.
        """
        for module in self.modules():
            if isinstance(module, Reparameterised) and any(module._leaves) and not module._originals:
                module._merge()

    def unmerge_weights(self) -> None:
        """Put back what `merge_weights` replaced, bit for bit where the dtype is still the same."""
        for module in self.modules():
            if isinstance(module, Reparameterised) and module._originals:
                with torch.no_grad():
                    for leaf, original in module._originals.items():
                        module.get_parameter(leaf).copy_(original)
                module._originals = {}

    def _merge(self) -> None:
        if self.training:
            raise RuntimeError("weights are merged in evaluation: call eval() first")
        with torch.no_grad():
            made = {leaf: weight.clone() for leaf, weight in zip(self._leaves, self._make(), strict=True) if leaf}
            originals = {leaf: self.get_parameter(leaf).detach().clone() for leaf in made}
            for leaf, weight in made.items():
                self.get_parameter(leaf).copy_(weight)
        self._originals = originals
        self._kept.found = None

    def train(self, mode: bool = True) -> Reparameterised:
        """Training needs the weights as they are made."""
        if mode and self._originals:
            raise RuntimeError("the weights are merged: call unmerge_weights() before training")
        self._kept.found = None
        super().train(mode)
        return self

    def _apply(self, *args: Any, **kwargs: Any) -> Reparameterised:
        self._kept.found = None
        super()._apply(*args, **kwargs)  # type: ignore[no-untyped-call]
        return self

    def _load_from_state_dict(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: Any,
        strict: bool,
        missing: Any,
        unexpected: Any,
        errors: Any,
    ) -> None:
        if self._originals:
            errors.append(
                f"the weights of {prefix.rstrip('.') or 'the module'} are merged: call unmerge_weights() first"
            )
            return
        super()._load_from_state_dict(state_dict, prefix, local_metadata, strict, missing, unexpected, errors)


def _is_plain(tensor: Tensor) -> bool:
    """Whether it is a tensor of this process's memory whose changes are counted."""
    return (
        type(tensor) in (Tensor, nn.Parameter)
        and tensor.device.type != "meta"
        and not tensor.is_inference()
        and not torch._C._functorch.is_functorch_wrapped_tensor(tensor)
    )


def _state(tensor: Tensor) -> Key:
    """What changes when the tensor is written to, moved or converted."""
    return tensor.data_ptr(), tensor._version, tensor.dtype, tensor.device
