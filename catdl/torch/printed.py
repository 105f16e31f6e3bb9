"""One class or function as lines of text: head, docstring, statements with the shapes of what they make behind them.

printed(families, family)      ["class Conv(nn.Module):", …]
"""

from __future__ import annotations

import re

from catdl.torch.family import Families, Family
from catdl.torch.keeping import Keeping, advance, heads
from catdl.torch.shapes import signature
from catdl.torch.wrap import WIDTH, wrap
from catdl.types.types import show_axis

_PIECES = re.compile(r"(\[|\], |, |\])")
_AXIS = re.compile(r"(\w+'*|\([^()]*\))(: |=)(.*)")


def printed(families: Families, family: Family, merges: bool, keeping: Keeping | None = None) -> list[str]:
    """The whole of a class or function; `merges`: some class of the file makes weights that can be merged.

    `keeping`: it is a network with states, whose statements are a function of them.
    """
    made, starts, remade, body, begin = families.statements(family)
    comments = _comments(family)
    if not family.first.unit.is_class:
        return [*_def(family, family.name, [], 0), *_docstring(family, 4), *_body(body, comments, 4)]
    kept = family.parameters.attributes("\n".join((*starts, *remade, *body)))
    base = "Reparameterised" if remade or (merges and family.first.unit.root) else "nn.Module"
    if keeping is not None:
        base = "Stateful" if base == "nn.Module" else f"Stateful, {base}"
    out = [f"class {family.name}({base}):", *_docstring(family, 4, keeping)]
    if keeping is not None:
        out += ["", *(line for head in heads(family.first.writer, keeping) for line in wrap(head, 4))]
    if remade:
        out += ["", f"    {remade[0]}", f"    {remade[1]}"]
    if made or kept:
        out += ["", *_signature("__init__", ["self", *_numbers(family)], "None", 4), "        super().__init__()"]
        for line in (*kept, *made):
            out += wrap(line, 8)
        if starts:
            w = family.first.writer
            out += ["        self.reset_parameters()"] if len(starts) > len(w.cells) else []
            what = "the parameters that no submodule starts" if len(starts) > len(w.cells) else "the state anew"
            out += ["", "    def reset_parameters(self) -> None:", f'        """Start {what}."""']
            out += _body(starts, [""] * len(starts), 8)
    if remade:
        out += ["", f"    {remade[2]}", '        """Make weights of parameters alone."""']
        out += _body(remade[3:], comments[3 : len(remade)], 8)
    body = _body(body, comments[len(remade) :], 8)
    if keeping is None:
        return [*out, "", *_def(family, "forward", ["self"], 4), *body]
    out += ["", "    def _begin(self) -> dict[str, Tensor]:", '        """How every state begins."""']
    out += _body(begin, [""] * len(begin), 8)
    call = advance(family.first.writer, keeping)
    out += ["", *_def(family, "forward", ["self"], 4, keeping), f"        return {call}"]
    told = '        """As a function: what the states hold goes in after the inputs, and out after the results."""'
    return [*out, "", *_def(family, "_step", ["self"], 4), told, *body]


def _numbers(family: Family) -> list[str]:
    return [f"{name}: {kind}" for name, kind in zip(family.parameters.names, family.parameters.types, strict=True)]


def _def(family: Family, name: str, first: list[str], indent: int, keeping: Keeping | None = None) -> list[str]:
    """The head of a method or function; `keeping`: without the states that come in and go out."""
    w, unit = family.first.writer, family.first.unit
    states = len(keeping.states) if keeping is not None else 0
    taken = w.args[: len(w.args) - states]
    args = [*first, *(f"{arg}: {'Tree' if arg in w.trees else 'Tensor'}" for arg in taken)]
    args += [f"{w.scope.dim_name(dim)}: int" for dim in unit.dims]
    args += [f"{w.scope.segments(dim)}: {'Tensor | Segments' if unit.root else 'Segments'}" for dim in unit.rows]
    if not unit.is_class:
        args += ["training: bool"] * unit.info.training + _numbers(family)
    outputs = unit.flat.outputs[: len(unit.flat.outputs) - states]
    kinds = ["Tree" if unit.flat.wires[wire].type.kind.form else "Tensor" for wire in outputs]
    if len(kinds) == 1:
        result = kinds[0]
    elif not kinds:
        result = "tuple[()]"
    else:
        result = f"tuple[{', '.join(kinds)}]" if len(kinds) <= 4 or "Tree" in kinds else "tuple[Tensor, ...]"
    return _signature(name, args, result, indent)


def _signature(name: str, args: list[str], result: str, indent: int) -> list[str]:
    line = f"def {name}({', '.join(args)}) -> {result}:"
    if len(line) + indent <= WIDTH:
        return [" " * indent + line]
    pad = " " * indent
    return [f"{pad}def {name}(", *(f"{pad}    {arg}," for arg in args), f"{pad}) -> {result}:"]


def _docstring(family: Family, indent: int, keeping: Keeping | None = None) -> list[str]:
    each = ", ".join(show_axis(axis) for axis in family.first.unit.lead)
    shown = _shown(family) if keeping is None else signature(keeping.original)
    shown += f", with weights of its own at every {each}" if each else ""
    shown = shown.replace("\\", "\\\\").replace('"""', "'''")
    pad = " " * indent
    if len(shown) + indent + 7 <= WIDTH:
        return [f'{pad}"""{shown}."""']
    head, arrow, tail = shown.partition(" -> ")
    return [f'{pad}"""{head}', f"{pad}{arrow.lstrip()}{tail}.", f'{pad}"""'] if arrow else [f'{pad}"""{shown}."""']


def _body(lines: list[str], comments: list[str], indent: int) -> list[str]:
    out: list[str] = []
    for line, comment in zip(lines, comments, strict=True):
        bare = line.lstrip(" ")
        out += wrap(bare, indent + len(line) - len(bare), comment)
    return out


# what the units of a family have in common


def _shown(family: Family) -> str:
    """The signature, as far as it holds for all units: else without names, else the name alone."""
    diagrams = [w.unit.diagram for w in family.members]
    for named in (True, False):
        found = common(family, [signature(diagram, named) for diagram in diagrams])
        if found is not None:
            return found
    return diagrams[0].name.rpartition("::")[2]


def _comments(family: Family) -> list[str]:
    if len(family.members) == 1:
        return family.first.comments
    columns = zip(*(w.comments for w in family.members), strict=True)
    return [common(family, list(column)) or "" for column in columns]


def common(family: Family, texts: list[str]) -> str | None:
    """Texts with shapes in them as one: a size that differs is what the family calls it, or is left out.

    None where they differ in more than sizes.
    """
    if len(set(texts)) == 1:
        return texts[0]
    rows = [_PIECES.split(text) for text in texts]
    if len({len(row) for row in rows}) > 1:
        return None
    pieces = [_piece(family, column) for column in zip(*rows, strict=True)]
    return None if None in pieces else "".join(piece for piece in pieces if piece is not None)


def _piece(family: Family, column: tuple[str, ...]) -> str | None:
    if len(set(column)) == 1:
        return column[0]
    axes = [_AXIS.fullmatch(text) for text in column]
    if not any(axes):
        return (family.parameters.known(column) or "_") if all(text.isdigit() for text in column) else None
    labels = {axis[1] if axis is not None else text for axis, text in zip(axes, column, strict=True)}
    sizes = [axis[3] for axis in axes if axis is not None]
    size = family.parameters.known(tuple(sizes)) if len(sizes) == len(column) else None
    if len(labels) > 1:
        return size or "_" if len(sizes) == len(column) else None
    label = labels.pop()
    return label if size is None else f"{label}{next(axis[2] for axis in axes if axis is not None)}{size}"
