"""One native box as text: where its module or its leaves stand, and its call.

lower_native(w, step, relu, …)     "F.relu(x)"
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from catdl.diagram.model import Native
from catdl.torch.context import Context
from catdl.torch.form import apply, has_module
from catdl.torch.keeping import start
from catdl.torch.lowering import Result
from catdl.torch.names import ident
from catdl.torch.natives import find
from catdl.torch.scope import Value, Var
from catdl.torch.steps import Step
from catdl.types.types import Leaf

if TYPE_CHECKING:
    from catdl.torch.unit import Writer


def lower_native(
    w: Writer, step: Step, native: Native, inputs: list[Value], outputs: tuple[Leaf, ...]
) -> tuple[Result, list[Var]]:
    """The expression of a native box, and the helper variables that it wrote."""
    lowering = find(native.entry)
    assert lowering is not None
    plugged = dict(step.plugs)
    leaves = {p.path: p for p in native.params}

    def param(path: str) -> str:
        if path in plugged:
            return w.read(plugged[path]).text
        if path in lowering.statistics and not step.site:
            return w.buffer(path, start(w.plan, leaves[path]))
        assert step.site is not None
        return w.leaf(step.site, leaves[path])

    c = Context(w.scope, list(inputs), outputs, native, param, frozenset(plugged), w.buffer, w.lead)
    # Without a segment of its own (the body of a loop) its leaves stand in the class itself.
    formed = lowering.module is not None and has_module(native, step) and step.site != ""
    module = lowering.module(c) if formed and lowering.module is not None else None
    bare = formed and step.site is not None and not w.modules.get(step.site)
    if bare and step.site is not None and (module is None or step.site in w.modules):
        w.module_sites.discard(step.site)  # this use has no module form, or an earlier one of the site had none
        module = None
    holder = None
    if module is not None:
        holder = w.submodule(step.site or _free_site(w, native), module)
    result = apply(c, lowering, holder)
    return result, c.temps


def _free_site(w: Writer, native: Native) -> str:
    """An attribute for a module without parameters, which needs no key."""
    base = ident(native.entry)
    number = 2
    name = base
    while name in w.modules or name in w.used_sites:
        name = f"{base}_{number}"
        number += 1
    return name
