"""The whole generated file: imports, units in order, the root last.

text(diagram)      "from torch import Tensor, nn\n\n\nclass Mlp(nn.Module):\n…"
"""

from __future__ import annotations

import re

from catdl.diagram.model import Diagram
from catdl.diagram.opened import opened
from catdl.torch.adopt import adopted
from catdl.torch.constructor import constructor, starts
from catdl.torch.family import Families, Written
from catdl.torch.helpers import HELPERS
from catdl.torch.keeping import Keeping, beginning, by_definition
from catdl.torch.names import Namer, camel
from catdl.torch.plan import Plan, Unit, packages
from catdl.torch.printed import printed
from catdl.torch.scope import RESERVED
from catdl.torch.unit import write

OURS = {
    "Commuting": "torch.equivariants",
    "Equivariants": "torch.equivariants",
    "Reparameterised": "torch.reparameterised",
    "Each": "torch.runtime",
    "mapped_attention": "torch.mapped",
    "Stateful": "torch.stateful",
    "Tree": "data.tree",
    "Segments": "torch.segments",
    "attend": "torch.segments",
    "scattered": "torch.segments",
}
"""What generated code may import of catdl's, and where it stands."""


def text(diagram: Diagram, taken: frozenset[str] = frozenset()) -> str:
    """The source text of a diagram, without the names in `taken`. Raises Refused where it could not run."""
    whole, states = opened(diagram, by_definition)
    plan = Plan(adopted(whole), taken, len(states))
    keeping = Keeping(diagram, states) if states else None
    names = plan.names
    while True:
        written = [_written(plan, unit, names, keeping) for unit in plan.units]
        families = Families(written, names)
        families.name(plan)
        final = frozenset(family.name for family in families.list)
        if final <= names:
            break
        names |= final  # what no variable may be called then
    merges = any(w.remade for w in written)
    body: list[str] = []
    imports = set[str]().union(*(w.writer.scope.imports for w in written))
    for name in sorted(imports & HELPERS.keys()):
        body += ["", "", *HELPERS[name].splitlines()]
    imports -= HELPERS.keys()
    for family in families.list:
        body += ["", "", *printed(families, family, merges, keeping if family.first.unit.root else None)]
    if merges:
        imports.add("Reparameterised")
    if keeping is not None:
        imports.add("Stateful")
    return "\n".join((*_imports(imports, body), *body)) + "\n"


def _written(plan: Plan, unit: Unit, names: frozenset[str], keeping: Keeping | None) -> Written:
    writer, lines = write(plan, unit, names)
    pairs = [line.partition("\x00") for line in (*writer.remade, *lines)]
    texts, comments = [pair[0] for pair in pairs], [pair[2] for pair in pairs]
    count = len(writer.remade)
    begin = beginning(plan, keeping) if keeping is not None and unit.root else []
    return Written(writer, constructor(writer), starts(writer), texts[:count], texts[count:], comments, begin)


_TORCH = re.compile(r"(?<![\w.])torch\.")


def root_name(diagram: Diagram) -> str:
    """The name of the class that stands for the diagram itself."""
    return Namer(RESERVED, packages(diagram)).fresh(camel(diagram.name))


def _imports(wanted: set[str], body: list[str]) -> list[str]:
    whole = "\n".join(body)
    standard = sorted(name for name in wanted if name in ("math", "functools"))
    if "math.sqrt(" in whole and "math" not in standard:
        standard.append("math")
    others = [name for name in wanted if name not in ("math", "functools", *OURS)]
    lines = [f"import {name}" for name in standard]
    lines += [""] if lines else []
    lines += [f"import {name}" for name in sorted([*others, *(["torch"] if _TORCH.search(whole) else [])])]
    if "F." in whole:
        lines.append("import torch.nn.functional as F")
    uses = [name for name, mark in (("Tensor", "Tensor"), ("nn", "nn.")) if mark in whole]
    if uses:
        lines.append(f"from torch import {', '.join(uses)}")
    places: dict[str, list[str]] = {}
    for name in sorted(wanted & OURS.keys()):
        places.setdefault(OURS[name], []).append(name)
    ours = [f"from catdl.{place} import {', '.join(names)}" for place, names in sorted(places.items())]
    return [*lines, "", *ours] if ours else lines
