"""Reading the declarations of one file, in an order in which everything is known before it is used."""

from __future__ import annotations

from catdl import diagnostics as wrong
from catdl.check import sorts
from catdl.check.closing import Instance
from catdl.check.coalgebras import declared, functor_of, undivided
from catdl.check.declare import declare
from catdl.check.facts import Noted, refused
from catdl.check.forms import parameter_leaf
from catdl.check.functors import carried
from catdl.check.legs import functor_of as algebra_of
from catdl.check.modules import take_imports
from catdl.check.names import bound_names, free, mentioned, ordered
from catdl.check.overloads import read_overloads
from catdl.check.program import Program
from catdl.check.roles import read_roles
from catdl.check.samples import glance, glance_inside, sample
from catdl.check.scope import (
    BadDef,
    Def,
    DimDef,
    Env,
    FunctorDef,
    GroupDef,
    KindDef,
    LawDef,
    LearnerDef,
    Module,
    MorphismDef,
    ObjectDef,
    ParamDef,
)
from catdl.check.signature import FixedPart, Scheme
from catdl.check.sources import initialiser, started
from catdl.check.stand_ins import stand_in
from catdl.check.static import Refused
from catdl.diagnostics.base import Diagnostic, Edit
from catdl.diagnostics.suggest import near
from catdl.diagram.model import Diagram
from catdl.diagram.taken import TAKEN
from catdl.syntax import ast
from catdl.types.ragged import ragged
from catdl.types.sizes import SizeTooLarge, free_syms, sym
from catdl.types.types import Axis, Object


def read_module(program: Program, module: Module, tree: ast.Module) -> None:
    """Enter, order and check the declarations of one file."""
    take_imports(program, module, tree)
    entered = declare(module, tree, program.report)
    nodes: dict[str, list[object]] = {}
    for name, node in entered:
        nodes.setdefault(name, []).append(node)
    needs: dict[str, set[str]] = {}
    for name, parts in nodes.items():
        wanted = mentioned(parts)
        module.parts |= wanted - {name}
        found = module.defs.get(name)
        if isinstance(found, MorphismDef) and (found.head.params is not None or name in bound_names(parts)):
            wanted.discard(name)
        needs[name] = {w for w in wanted if w in nodes and not on_demand(module.defs.get(w))}
    unused_params(program, module, needs)
    order, cycles = ordered(needs)
    if cycles:  # what a body binds itself is no declaration, though it has the name of one
        for name in set(needs) - set(order):
            needs[name] = {w for w in needs[name] if free(nodes[name], w)}
        order, cycles = ordered(needs)
    for cycle in cycles:
        first = module.defs[cycle[0]]
        span = getattr(first, "span", None) or module.span(nodes[cycle[0]][0])  # type: ignore[arg-type]
        morphisms = any(isinstance(nodes[name][0], ast.Morphism) for name in cycle)
        program.report(wrong.DeclarationCycle(span, cycle, morphisms))
    knotted = {name: module.defs[name] for name in sorted(set(needs) - set(order))}
    for name in knotted:
        module.defs[name] = BadDef(name)
    early = [(n, nodes[n][0]) for n in order if isinstance(nodes[n][0], (ast.Dim, ast.Kind))]
    read_dims(program, module, tree, early)
    read_overloads(program, module, tree)
    groups = [found for n in nodes if isinstance(found := module.defs.get(n), GroupDef) and found.module is module]
    if groups or any(isinstance(d, DimDef) and d.other == "regular" for d in module.defs.values()):
        from catdl.check.groups import read_groups  # late: few specs declare groups

        read_groups(program, module, groups)
    for name in order:
        try:
            read_found(program, module.defs.get(name))
        except RecursionError:
            program.work.too_deep(module.span(nodes[name][0]))  # type: ignore[arg-type]
        except SizeTooLarge as error:
            program.report(wrong.LimitExceeded(module.span(nodes[name][0]), error.what, error.limit))  # type: ignore[arg-type]
    for found in knotted.values():
        if isinstance(found, MorphismDef):
            glance_inside(program, found)


def read_found(program: Program, found: Def | None) -> None:
    """Check a declaration."""
    match found:
        case ObjectDef():
            read_object(program, found)
        case ParamDef():
            read_param(program, found)
        case FunctorDef():
            read_functor(program, found)
        case MorphismDef():
            read_morphism(program, found)
        case LawDef():
            from catdl.check.laws import read_law  # late: few specs state laws

            read_law(program, found)
        case LearnerDef():
            from catdl.check.learners import read_learner  # late: few specs are trained

            read_learner(program, found)
        case _:
            pass


def unused_params(program: Program, module: Module, needs: dict[str, set[str]]) -> None:
    """Report declared parameters that no declaration of the file mentions; another file may use those of this one.

    One whose name is nearly that of something which is not there is mentioned: that is the mistake.
    """
    if module is not program.main:
        return
    used = module.unread().union(*needs.values())
    params = [found for found in module.defs.values() if isinstance(found, ParamDef) and found.module is module]
    unused = {found.name: found for found in params if found.name not in used}
    said = mentioned(list(module.tree.decls)) if unused else set()
    meant = {close for name in sorted(said) if module.find(name) is None for close in near(name, unused)}
    for name, found in unused.items():
        if name not in meant:
            program.report(wrong.ParamUnused(found.span, name))


def on_demand(found: Def | None) -> bool:
    """Whether a morphism is elaborated only where it is used."""
    return isinstance(found, MorphismDef) and found.head.params is not None


def read_dim_or_kind(program: Program, module: Module, name: str, node: object) -> None:
    """A dim or a kind becomes known."""
    ctx = program.context(program.report)
    label = f"{module.name}::{name}"
    match node:
        case ast.Dim() if name.endswith("'"):
            program.report(wrong.TwinDeclared(module.span(node), name, name.rstrip("'")))
        case ast.Dim(size=size, roles=roles):
            varies = size is None and any(isinstance(r, ast.Name) and r.id == "var" for r in roles)
            try:
                if size is not None:
                    value = ctx.statics.size(size, Env(module))
                else:
                    value = ragged(label) if varies else sym(label)
            except (Refused, SizeTooLarge):
                return
            formula = None if size is None or isinstance(size, (ast.Number, ast.Name)) else module.span(size).text
            axis = Axis(label, value)
            act, other = read_roles(ctx, Env(module), node, axis, program.report) if roles else (None, None)
            module.defs[name] = DimDef(name, axis, size is None, roles, module.span(node), formula, act, other)
            if varies:
                program.ragged = True
                program.facts = Noted(program.facts).facts(free_syms(value))
        case ast.Kind(base=base, access=access, axis=axis, element=element):
            try:
                above = None if base is None else kind_named(program, module, node, base)
                single = None if element is None else kind_named(program, module, node, element)
            except Refused:
                return
            kind = KindDef(label, above, access == "free", axis is not None, single, module.span(node))
            module.defs[name] = kind
            program.kinds.add(kind)
        case _:
            pass


def kind_named(program: Program, module: Module, node: ast.Kind, name: str) -> KindDef:
    """A kind that the declaration of another names. Raises Refused."""
    found = module.find(name)
    if isinstance(found, KindDef):
        return found
    if not isinstance(found, BadDef):
        names = [n for n, d in module.defs.items() if isinstance(d, KindDef)]
        names += [n for n in program.prelude.names() if isinstance(module.find(n), KindDef)]
        program.report(wrong.UnknownName(module.span(node), name, "kind", near(name, names)))
    raise Refused


def read_dims(program: Program, module: Module, tree: ast.Module, order: list[tuple[str, object]]) -> None:
    """Dims and kinds in their order, and every `where` as soon as what it speaks of is known: dims may be made by it.

    Free dims come first, since nothing is needed to know them.
    """
    order = sorted(order, key=lambda found: not (isinstance(found[1], ast.Dim) and found[1].size is None))
    here = {name for name, _ in order}
    facts = [fact for node in tree.decls if isinstance(node, ast.Where) for fact in node.facts]
    missing = [mentioned([fact.left, fact.right]) & here for fact in facts]
    waiting: dict[str, list[int]] = {}
    for at, names in enumerate(missing):
        for name in names:
            waiting.setdefault(name, []).append(at)
    ready = [fact for fact, names in zip(facts, missing, strict=True) if not names]
    for name, node in order:
        if ready and isinstance(node, ast.Dim) and not isinstance(node.size, ast.Number | None):
            read_facts(program, module, ready)
            ready = []
        read_dim_or_kind(program, module, name, node)
        for at in waiting.get(name, ()):
            missing[at].discard(name)
            if not missing[at]:
                ready.append(facts[at])
    read_facts(program, module, ready)


def read_facts(program: Program, module: Module, facts: list[ast.Fact]) -> None:
    """`where` at top level: what the checker may use of the dims."""
    if not facts:
        return
    noted = Noted(program.facts)
    ctx = program.context(program.report)
    env = Env(module)
    for fact in facts:
        try:
            if not noted.note(ctx, fact, env):
                program.report(refused(ctx, fact, env))
        except Refused:
            continue
    try:
        program.facts = noted.facts()
    except SizeTooLarge as error:
        program.report(wrong.LimitExceeded(module.span(facts[0]), error.what, error.limit))


def read_functor(program: Program, found: FunctorDef) -> None:
    """A functor without binders is read where it stands; one with them, where it is used."""
    if not found.node.binders:
        try:
            declared(program.context(program.report).types, found)
        except Refused:
            found.module.defs[found.name] = BadDef(found.name)


def read_object(program: Program, found: ObjectDef) -> None:
    """A named object becomes known."""
    ctx = program.context(program.report)
    if sum(binder.row for binder in found.node.binders) > 1:
        words = "an object has one row of axes at most: of two nothing says where the second begins"
        program.report(wrong.BadValue(found.span, words))
        found.module.defs[found.name] = BadDef(found.name)
        return
    sorts = {binder.name: "row" if binder.row else "axis" for binder in found.node.binders}
    names: dict[str, object] = {name: stand_in(name, sort) for name, sort in sorts.items()}
    try:
        if names:
            ctx.types.object(found.node.value, Env(found.module, None, names))
        else:
            ctx.types.declared(found)
    except Refused:
        found.module.defs[found.name] = BadDef(found.name)


def read_param(program: Program, found: ParamDef) -> None:
    """A declared parameter becomes known."""
    ctx = program.context(program.report)
    env = Env(found.module)
    if found.name in TAKEN:
        program.report(wrong.NameOfTorch(found.span, found.name))
    try:
        record = ctx.types.weights(found.node.type, env)
        if record is not None:
            found.record = started(ctx, record, found.node.init, env, found.span)
            return
        leaf = ctx.canon(parameter_leaf(ctx, found.node.type, env, found.name))
        program.start(ctx, initialiser(ctx, found.node.init, env), found.span, leaf)
        found.leaf = leaf
    except Refused:
        found.module.defs[found.name] = BadDef(found.name)


def misshapen(program: Program, found: MorphismDef) -> Diagnostic | None:
    """What is wrong with the form of a declaration, whatever it says."""
    module, signature = found.module, found.head.signature
    match found.head.keyword:
        case "hom" if module.half_read(found.head.start) and not isinstance(signature, ast.Arrow):
            return None  # the signature may stand in what could not be read
        case "hom" if not isinstance(signature, ast.Arrow) or (len(found.equations) > 1 and program.is_template(found)):
            return wrong.HomOpen(found.span, found.name, signature is not None)
        case "algebra" if algebra_of(found) is None:
            span = found.span if signature is None else module.span(signature)
            words = "another type; that of an algebra is `F(C) -> C`"
            carrier = carried(signature)
            if isinstance(signature, ast.Arrow) and carrier is not None:
                text, end = module.span(carrier).text, module.span(signature.codomain)
                said = f"what it gives is what stands in place of its subtrees: `{text}`"
                return wrong.NotAnAlgebra(span, words, said, (Edit(end, text),))
            return wrong.NotAnAlgebra(span, words, "write `F(C) -> C`, with the name of a functor for F")
        case "coalgebra" if functor_of(found) is None:
            span = found.span if signature is None else module.span(signature)
            return wrong.NotACoalgebra(span, "another type; that of a coalgebra is `C -> F(C)`")
        case "coalgebra" if (whole := undivided(found)) is not None:
            helps = (
                "write it factor by factor, `(out, next)` or `s => (out, x => next)`: "
                "the state alone tells what it shows"
            )
            return wrong.NotACoalgebra(module.span(whole), "one body for an output and a state that reads", helps)
        case _ if found.modifiers:
            return wrong.BadValue(found.span, f"`{found.modifiers[0]}` belongs to the prelude")
        case _:
            return None


def read_morphism(program: Program, found: MorphismDef) -> None:
    """Check a morphism as far as it can be checked by itself."""
    module = found.module
    unused_arguments(program, found)
    mistake = misshapen(program, found)
    if mistake is not None:
        program.report(mistake)
        module.defs[found.name] = BadDef(found.name)
        glance_inside(program, found)
        return
    known_sorts(program, found)
    try:
        scheme = program.scheme(found)
    except Refused:
        module.defs[found.name] = BadDef(found.name)
        glance(program, found)
        return
    if scheme is None and found.head.keyword == "extern":
        program.report(wrong.BadValue(found.span, "an extern morphism needs a signature"))
        module.defs[found.name] = BadDef(found.name)
        return
    if found.head.params is None and not found.head.binders:
        if scheme is None and program.peek(found) is None:
            program.templates[found] = True
            return
        program.templates[found] = False
        before = len(program.diagnostics)
        if program.make(Instance(found, (), ()), found.span, program.report) is None:
            if scheme is None or len(program.diagnostics) == before:
                module.defs[found.name] = BadDef(found.name)
        elif scheme is None:
            diagram = program.closed_diagrams[found]
            assert diagram is not None
            program.schemes[found] = scheme_of(diagram, found)
        return
    before = len(program.diagnostics)
    sample(program, found)
    signed = isinstance(found.head.signature, ast.Arrow)
    if found.head.keyword == "hom" and signed and program.is_template(found) and len(program.diagnostics) == before:
        from catdl.check.homs import read_hom  # late: few specs have homs

        read_hom(program, found)


def known_sorts(program: Program, found: MorphismDef) -> None:
    """Report static parameters of a sort that there is none of."""
    for param in found.head.params or ():
        for name in sorts.names(param.sort):
            if name.id not in sorts.NAMES:
                program.report(wrong.UnknownName(found.module.span(name), name.id, "sort", near(name.id, sorts.NAMES)))


def scheme_of(diagram: Diagram, found: MorphismDef) -> Scheme:
    """The signature that an unsigned morphism turned out to have."""
    node = found.head.body
    assert node is not None
    domain = Object(tuple(diagram.wires[i].type for i in diagram.inputs), diagram.domain_names)
    codomain = Object(tuple(diagram.wires[i].type for i in diagram.outputs), diagram.codomain_names)
    found.sorts = {}
    return Scheme((), (FixedPart(node, domain),), (FixedPart(node, codomain),), "rand" in diagram.effects, False)


def unused_arguments(program: Program, found: MorphismDef) -> None:
    """A static argument that no equation reads, neither by its name nor by a literal in its place, is a mistake."""
    places = max((len(e.params or ()) for e in found.equations), default=0)
    if not places:
        return
    read = [
        mentioned([e.body, e.signature, e.where, *(x for p in e.params or () for x in (p.default, p.sort))])
        for e in found.equations
    ]
    for place in range(places):
        params = [
            (e.params[place], names)
            for e, names in zip(found.equations, read, strict=True)
            if e.params and place < len(e.params)
        ]
        if any(
            p.literal is not None or p.name is None or p.name in names or p.name.startswith("_") for p, names in params
        ) or not all((p.name or "").isascii() for p, _ in params):  # what is no name is told, and read nowhere
            continue
        param = params[0][0]
        name = param.name or ""
        if not found.module.perhaps_read(name, found.span.start):
            program.report(wrong.UnusedArgument(found.module.span(param), name, found.name))
