"""What can be said of a morphism from its text alone: whether it may own parameters, and its effects.

Takes definitions; guarantees an over-approximation by the names that bodies mention, without elaborating them. Random
draws under `if_training` are random in training only.
"""

from __future__ import annotations

from catdl.check.names import local_params
from catdl.check.scope import MorphismDef
from catdl.diagram.model import Diagram
from catdl.diagram.params import owns as owns_any
from catdl.syntax import ast

NONE: frozenset[str] = frozenset()
WEIGHTED = frozenset({"equilinear", "equibilinear"})  # core operations with parameters
KEEPS = frozenset({"state"})
Traits = tuple[bool, frozenset[str]]


def names_used(definition: MorphismDef) -> list[tuple[str, bool]]:
    """The names in the bodies of a morphism that are not its own arguments, and whether under `if_training`."""
    own = {p.name for e in definition.equations for p in e.params or ()}
    out: dict[tuple[str, bool], None] = {}
    stack: list[tuple[object, bool]] = [(e.body, False) for e in definition.equations]
    local: dict[str, list[ast.Expr]] = {}  # names of wires: their values count where they are read
    read: set[tuple[str, bool]] = set()
    while stack:
        node, training = stack.pop()
        match node:
            case ast.Name(id):
                if id in local:
                    if (id, training) not in read:
                        read.add((id, training))
                        stack += [(value, training) for value in local[id]]
                elif id not in own:
                    out[(id, training)] = None
            case ast.Call(ast.Name("if_training"), args) if args:
                stack.append((args[0].value, True))
                stack += [(a.value, training) for a in args[1:]]
            case ast.Call(function, args):
                stack.append((function, training))
                stack += [(a.value, training) for a in args]
            case ast.Seq(steps):
                stack += [(s, training) for s in steps]
            case ast.Index(base, items) | ast.Plug(base, items):
                stack.append((base, training))
                stack += [(i.value, training) for i in items]
            case ast.Tensor(legs) | ast.Fan(legs) | ast.Copair(legs):
                stack += [(leg, training) for leg in legs]
            case ast.Chain(operands, _):
                stack += [(o, training) for o in operands]
            case ast.Tuple(items):
                stack += [(i.value, training) for i in items]
            case ast.List(items):
                stack += [(i, training) for i in items]
            case ast.Comprehension(value, _, _):
                stack.append((value, training))
            case ast.Lambda(_, body) | ast.Labelled(_, body) | ast.Tie(_, body):
                stack.append((body, training))
            case ast.Negate(operand):
                stack.append((operand, training))
            case ast.Power(base, exponent):
                stack += [(base, training), (exponent, training)]
            case ast.Field(base, _):
                stack.append((base, training))
            case ast.If(_, then, orelse):
                stack += [(then, training), (orelse, training)]
            case ast.Block(statements, result):
                for statement in statements:
                    match statement:
                        case ast.Bind(ast.Name(id), value) | ast.Box(name=id, value=value):
                            local.setdefault(id, []).append(value)
                        case ast.Bind(_, value) | ast.Emit(_, value) | ast.Store(_, value):
                            stack.append((value, training))
                        case _:
                            stack.append((statement, training))
                stack.append((result, training))
            case _:
                pass
    return list(out)


def core_effects(name: str, training: bool) -> frozenset[str]:
    """The effects of a core operation."""
    if name.endswith("_like") and not name.startswith(("zeros", "ones", "full")):
        return frozenset({"rand_train" if training else "rand"})
    if name in ("sample", ast.DRAW):
        return frozenset({"rand_train" if training else "rand"})
    if name.startswith("across_"):
        return frozenset({"across"})
    return NONE


def traits_of(
    definition: MorphismDef, memo: dict[MorphismDef, Traits], closed: dict[MorphismDef, Diagram | None]
) -> Traits:
    """Traits of a morphism and of all it mentions, deepest first."""
    stack = [definition]
    under_way: set[MorphismDef] = set()
    while stack:
        at = stack[-1]
        if at in memo:
            stack.pop()
            continue
        used = names_used(at)
        callees = [(f, training) for name, training in used if isinstance(f := at.module.find(name), MorphismDef)]
        waiting = [
            f for f, _ in callees if f not in memo and f not in under_way and f is not at and closed.get(f) is None
        ]
        if waiting and at not in under_way:
            under_way.add(at)
            stack += waiting
            continue
        owns = bool(local_params(at.head.body))
        effects = KEEPS if any(param.state for param in local_params(at.head.body)) else NONE
        if "core" in at.modifiers:
            effects, owns = effects | core_effects(at.name, False), at.name in WEIGHTED
        elif at.head.body is None and isinstance(at.head.signature, ast.Arrow) and at.head.signature.random:
            effects |= frozenset({"rand"})
        for name, training in used:
            found = at.module.find(name)
            if isinstance(found, MorphismDef):
                diagram = closed.get(found)
                if diagram is not None:
                    mine, inner = owns_any(diagram), diagram.effects
                else:
                    mine, inner = memo.get(found, (False, NONE))
                if "core" in found.modifiers:
                    inner, mine = core_effects(found.name, training), found.name in WEIGHTED
                elif training:
                    inner = frozenset("rand_train" if e == "rand" else e for e in inner)
                owns = owns or mine
                effects |= inner
            elif found is None:
                effects |= core_effects(name, training)
        memo[at] = (owns, effects)
        stack.pop()
    return memo[definition]
