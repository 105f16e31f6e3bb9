"""The whole generated file: imports, units in order, the root last.

text(diagram)      "from torch import Tensor, nn\n\n\nclass Mlp(nn.Module):\n…"
"""

from __future__ import annotations

import re

from catdl.diagram.model import Diagram
from catdl.torch.plan import Plan, Unit, packages
from catdl.torch.unit import Writer, constructor, starts, write
from catdl.torch.wrap import WIDTH, wrap
from catdl.types.types import show_axis


def text(diagram: Diagram, taken: frozenset[str] = frozenset()) -> str:
    """The source text of a diagram, without the names in `taken`. Raises Refused where it could not run."""
    plan = Plan(diagram, taken)
    written = _written(plan)
    if plan.rename():
        written = _written(plan)
    body: list[str] = []
    imports: set[str] = set()
    for writer, lines in written:
        imports |= writer.scope.imports
        body += ["", "", *(_class(writer, lines) if writer.unit.is_class else _function(writer, lines))]
    return "\n".join((*_imports(imports, body), *body)) + "\n"


def _written(plan: Plan) -> list[tuple[Writer, list[str]]]:
    """Every unit's statements; a unit whose code reads like an earlier one's is that one, at sizes that both have."""
    names = plan.taken | {unit.own_name for unit in plan.units}
    seen: dict[tuple[object, ...], int] = {}
    result: list[tuple[Writer, list[str]]] = []
    for unit in plan.units:
        if unit.same is not None:
            continue
        writer, lines = write(plan, unit, names)
        code = [line.partition("\x00")[0] for line in lines]
        key = (unit.base, unit.dims, unit.lead, *writer.args, *constructor(writer), *starts(writer), *code)
        place = seen.setdefault(key, len(result))
        if place == len(result) or unit.root:
            result.append((writer, lines))
            continue
        first, kept = result[place]
        unit.same = first.unit
        first.unit.shown = common(first.unit.shown, unit.shown)
        kept[:] = [common(one, other) for one, other in zip(kept, lines, strict=True)]
    return result


_PIECES = re.compile(r"(\[|\], |, |\])")


def common(one: str, other: str) -> str:
    """Two texts with shapes in them as one: a size that differs is left out, its label stays."""
    if one == other:
        return one
    left, right = _PIECES.split(one), _PIECES.split(other)
    if len(left) != len(right):
        return one
    pairs = zip(left, right, strict=True)
    return "".join(a if a == b else re.split(r": |=", a, maxsplit=1)[0] for a, b in pairs)


def root_name(diagram: Diagram) -> str:
    """The name of the class that stands for the diagram itself."""
    from catdl.torch.names import Namer, camel
    from catdl.torch.scope import RESERVED

    return Namer(RESERVED | packages(diagram)).fresh(camel(diagram.name))


def _imports(wanted: set[str], body: list[str]) -> list[str]:
    whole = "\n".join(body)
    standard = sorted(name for name in wanted if name in ("math", "functools"))
    if "math.sqrt(" in whole and "math" not in standard:
        standard.append("math")
    others = sorted(name for name in wanted if name not in ("math", "functools", "Each"))
    lines = [f"import {name}" for name in standard]
    lines += [""] if lines else []
    if "torch." in whole:
        lines.append("import torch")
    lines += [f"import {name}" for name in others]
    if "F." in whole:
        lines.append("import torch.nn.functional as F")
    uses = [name for name, mark in (("Tensor", "Tensor"), ("nn", "nn.")) if mark in whole]
    if uses:
        lines.append(f"from torch import {', '.join(uses)}")
    if "Each" in wanted:
        lines += ["", "from catdl.torch.runtime import Each"]
    return lines


def _class(w: Writer, lines: list[str]) -> list[str]:
    made, fills = constructor(w), starts(w)
    out = [f"class {w.unit.name}(nn.Module):", *_docstring(w.unit, 4)]
    if made:
        out += ["", "    def __init__(self) -> None:", "        super().__init__()"]
        for line in made:
            out += wrap(line, 8)
        if fills:
            out += ["        self.reset_parameters()", "", "    def reset_parameters(self) -> None:"]
            out.append('        """Start the parameters that no submodule starts."""')
            out += _body(fills, 8)
    return [*out, "", *_def(w, "forward", ["self"], 4), *_body(lines, 8)]


def _function(w: Writer, lines: list[str]) -> list[str]:
    return [*_def(w, w.unit.name, [], 0), *_docstring(w.unit, 4), *_body(lines, 4)]


def _def(w: Writer, name: str, first: list[str], indent: int) -> list[str]:
    unit = w.unit
    args = [*first, *(f"{arg}: Tensor" for arg in w.args)]
    args += [f"{w.scope.dim_name(dim)}: int" for dim in unit.dims]
    if not unit.is_class and unit.info.training:
        args.append("training: bool")
    count = len(unit.flat.outputs)
    if count == 1:
        result = "Tensor"
    elif count == 0:
        result = "tuple[()]"
    else:
        result = f"tuple[{', '.join(['Tensor'] * count)}]" if count <= 4 else "tuple[Tensor, ...]"
    line = f"def {name}({', '.join(args)}) -> {result}:"
    if len(line) + indent <= WIDTH:
        return [" " * indent + line]
    pad = " " * indent
    return [f"{pad}def {name}(", *(f"{pad}    {arg}," for arg in args), f"{pad}) -> {result}:"]


def _docstring(unit: Unit, indent: int) -> list[str]:
    each = ", ".join(show_axis(axis) for axis in unit.lead)
    shown = (
        (unit.shown + (f", with weights of its own at every {each}" if each else ""))
        .replace("\\", "\\\\")
        .replace('"""', "'''")
    )
    pad = " " * indent
    if len(shown) + indent + 7 <= WIDTH:
        return [f'{pad}"""{shown}."""']
    head, arrow, tail = shown.partition(" -> ")
    return [f'{pad}"""{head}', f"{pad}{arrow.lstrip()}{tail}.", f'{pad}"""'] if arrow else [f'{pad}"""{shown}."""']


def _body(lines: list[str], indent: int) -> list[str]:
    out: list[str] = []
    for line in lines:
        text_, _, comment = line.partition("\x00")
        bare = text_.lstrip(" ")
        out += wrap(bare, indent + len(text_) - len(bare), comment)
    return out
