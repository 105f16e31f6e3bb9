"""The body of a class's `__init__` and of its `reset_parameters`: what it holds, what is frozen, how it starts.

Takes a unit that is written. Modules of torch start themselves, unless the spec says how; what has no module is a
parameter of the class or of a dict under its site.

    constructor(w)      ["self.linear = nn.Linear(8, 8)", "self.linear.requires_grad_(False)"]
"""

from __future__ import annotations

from catdl.diagram.model import Local, Native, Parameter
from catdl.torch.initial import NO_GRAD, initial, reader
from catdl.torch.keeping import restart, start
from catdl.torch.marks import called
from catdl.torch.names import attribute
from catdl.torch.scope import sizes_of
from catdl.torch.unit import Writer


def constructor(w: Writer) -> list[str]:
    """The body of `__init__` after `super().__init__()`, and of `reset_parameters` (after an empty line, if any)."""
    lines: list[str] = []
    for path, parameter in w.own.items():
        lines.append(f"{attribute(path, '_parameters')} = {_empty(parameter)}")
    lines += [f'self.register_buffer("{name}", {made})' for name, made in w.buffers.items()]
    for name, cell in w.cells.items():
        passing = (
            ", persistent=False" if cell.state == "sample" or cell.passing else ""
        )  # of this batch, not of the network
        lines.append(f'self.register_buffer("{name}", {start(w.plan, cell)}{passing})')
    held = {site: {path: _empty(p) for path, p in leaves.items()} for site, leaves in w.held.items()}
    lines += [f"{name} = {text}" for name, text in w.sites.constructors(w.modules, held).items()]
    return lines + [line for name, native in _modules(w).items() for line in _frozen(name, native)]


def _modules(w: Writer) -> dict[str, Native]:
    """The natives in module form by how the class reaches them."""
    found: dict[str, Native] = {}
    for step in w.unit.flat.steps:
        native, site = step.op, step.site
        if isinstance(step.op, Local):
            native, site = step.op.entry or step.op, step.op.parameter.path.rpartition(".")[0]
        if isinstance(native, Native) and site in w.module_sites and site in w.modules:
            found[w.sites.expression(site)] = native
    return found


def _frozen(name: str, native: Native) -> list[str]:
    """What keeps gradients from the leaves of a module."""
    frozen = [p for p in native.params if p.frozen]
    if frozen and len(frozen) == len(native.params):
        return [f"{name}.requires_grad_(False)"]
    return [f"{name}.{p.path}.requires_grad_(False)" for p in frozen]


def _empty(parameter: Parameter) -> str:
    sizes = ", ".join(str(size) for size in sizes_of(parameter.type)) or "()"
    return f"nn.Parameter(torch.empty({sizes}){', requires_grad=False' if parameter.frozen else ''})"


def starts(w: Writer) -> list[str]:
    """The body of `reset_parameters`: how the leaves that no module of torch holds start."""
    lines: list[str] = []
    for path, p in w.own.items():
        lines += _start(w, attribute(path, "_parameters"), p, w.stacks.get(("", path), 0))
    lines += [f"self.{name}.copy_({start})" for name, start in w.buffers.items()]
    lines += [restart(w.plan, cell) for cell in w.cells.values()]
    for site, leaves in w.held.items():
        for path, p in leaves.items():
            lines += _start(w, w.sites.leaf(site, path), p, w.stacks.get((site, path), 0))
    for name, native in _modules(w).items():
        for p in native.params:
            lines += _start(w, f"{name}.{p.path}", p, 0) if p.told else []
    # Copies that follow each other stand in one block.
    return [line for k, line in enumerate(lines) if line != NO_GRAD or k < 2 or lines[k - 2] != NO_GRAD]


def _start(w: Writer, target: str, parameter: Parameter, stacked: int) -> list[str]:
    """How one leaf starts; a formula is a function of the file."""
    init = parameter.init
    package = reader(init)
    if package is not None:
        w.scope.imports.add(package)
    made = called(w.plan.formula(init.made).index, []) if init.made is not None else None
    return initial(target, init, stacked, made)
