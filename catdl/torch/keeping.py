"""The class of a network with states: how each begins, and how a call reads and writes its buffers.

Takes a Diagram whose states are inputs and outputs (`diagram/opened.py`), so that its statements are a function of
them; what the states hold between calls are buffers of the classes whose states they are, and the root, a `Stateful`,
hands them in and puts them back. Layers of torch that move a buffer themselves (`nn.BatchNorm2d`) stay as they are.

    advance(w, keeping)      "self._advance(x)"
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from catdl.diagnostics import NotCompilable
from catdl.diagnostics.base import Help
from catdl.diagram.model import Diagram, Native, Parameter
from catdl.diagram.params import parameters
from catdl.record import record
from catdl.source import Source, Span
from catdl.torch.marks import called
from catdl.torch.natives import find
from catdl.torch.refuse import Refused
from catdl.types.dtypes import storage
from catdl.types.types import axis_sizes
from catdl.weights.held import held

if TYPE_CHECKING:
    from catdl.torch.plan import Plan
    from catdl.torch.unit import Writer

METHODS = frozenset(
    {"_advance", "_batched", "_begin", "_sampled", "_states", "_step", "initial_state", "reset_state", "step_with"}
)
"""What the class of a network with states has for itself."""

_DTYPES = {"float": "", "int": ", dtype=torch.int64", "bool": ", dtype=torch.bool", "complex": ", dtype=torch.cfloat"}


@record
class Keeping:
    """A network with states: its diagram as it was, and those of its states that are inputs and outputs now."""

    original: Diagram
    states: tuple[Parameter, ...]


def by_definition(native: Native) -> bool:
    """Whether a layer with states is run by its definition; others are modules that move their buffers themselves."""
    lowering = find(native.entry)
    return lowering is None or not lowering.state


def start(plan: Plan, parameter: Parameter) -> str:
    """How a state begins, as an expression."""
    sizes = [str(size) for size in axis_sizes(parameter.type)]
    dtype = _DTYPES[storage(parameter.type.kind)]
    shape = f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"
    match parameter.init.name:
        case "zeros" | "ones" as name:
            return f"torch.{name}({', '.join(sizes) or '()'}{dtype})"
        case "constant":
            return f"torch.full({shape}, {parameter.init.args[0]!r}{dtype})"
        case "eye":
            made = f"torch.eye({', '.join(sizes[-2:])}{dtype})"
            return f"{made}.repeat({', '.join(sizes[:-2])}, 1, 1)" if len(sizes) > 2 else made
        case _:
            assert parameter.init.made is not None
            made = called(plan.formula(parameter.init.made).index, [])
            wire = parameter.init.made.outputs[0]
            own = len(parameter.init.made.wires[wire].type.axes)
            lead = sizes[: len(sizes) - own]
            return f"{made}.repeat({', '.join([*lead, *['1'] * own])})" if lead else made


def restart(plan: Plan, parameter: Parameter) -> str:
    """The statement that has a state begin anew in its buffer, whatever batch it is of."""
    match parameter.init.name:
        case "zeros":
            return f"self.{parameter.path}.zero_()"
        case "ones":
            return f"self.{parameter.path}.fill_(1)"
        case "constant":
            return f"self.{parameter.path}.fill_({parameter.init.args[0]!r})"
        case _:
            return f"self.{parameter.path}.copy_({start(plan, parameter)})"


def beginning(plan: Plan, keeping: Keeping) -> list[str]:
    """The statements of `_begin`: every state by its key, those of torch's layers among them."""
    begun = {p.path: start(plan, p) for p in parameters(keeping.original) if p.state}
    for tensor in held(keeping.original):
        if tensor.buffer and tensor.key not in begun:  # a counter of torch's own
            begun[tensor.key] = f"torch.zeros({', '.join(map(str, tensor.shape)) or '()'}, dtype=torch.int64)"
    return ["return {", *(f'    "{key}": {text},' for key, text in begun.items()), "}"]


def heads(w: Writer, keeping: Keeping) -> list[str]:
    """What the class says of its states.

    Their keys in order; of those that are per sample the number of own axes, and of the input that tells the batch its
    place and the number of its own.
    """
    taken = {box.site.partition(".")[0]: box.span for box in keeping.original.boxes if box.site is not None}
    taken |= {state.path.partition(".")[0]: _NOWHERE for state in keeping.states}
    for name in sorted(METHODS & taken.keys()):
        reason = f"a network with a state has a method `{name}` of its own, and a part of it is called so"
        module = keeping.original.name.rpartition("::")[2]
        raise Refused(NotCompilable(module, reason, taken[name], (Help(f"give it another name: `…: {name}`"),)))
    keys = ", ".join(f'"{state.path}"' for state in keeping.states)
    sampled = [f'"{s.path}": {len(s.type.axes)}' for s in keeping.states if s.state == "sample"]
    lines = [f"_states = ({keys}{',' if len(keeping.states) == 1 else ''})"]
    lines += [f"_inputs = {len(keeping.original.inputs)}"] if w.unit.rows else []
    if not sampled:
        return lines
    inputs = [w.unit.flat.wires[wire] for wire in w.unit.flat.inputs[: len(keeping.original.inputs)]]
    own = {k: len(wire.type.axes) for k, wire in enumerate(inputs) if not wire.constant and wire.rows is None}
    place, rank = next(iter(own.items()), (len(inputs), None))  # packed samples are as many as there are segments
    return [*lines, f"_sampled = {{{', '.join(sampled)}}}", f"_batched = ({place}, {rank})"]


_NOWHERE = Span(Source("-", ""), 0, 0)


def advance(w: Writer, keeping: Keeping) -> str:
    """The call that `forward` is."""
    rows = [w.scope.segments(dim) for dim in w.unit.rows]
    return f"self._advance({', '.join([*w.args[: len(keeping.original.inputs)], *rows])})"
