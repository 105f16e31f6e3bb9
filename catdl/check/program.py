"""A whole program: modules, the order of their declarations, and the diagrams of their morphisms.

Takes the text of one file and a way to find imported ones; guarantees every mistake once, in every declaration that can
be read, and a diagram for every morphism without one. The verdict does not depend on the order of declarations.

    program = check(Source("m.cat", text), find)
    program.diagnostics, program.diagram("mlp")
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from catdl import diagnostics as wrong
from catdl.check.builder import Builder, Bundle, Plugged, Start, W
from catdl.check.closing import Instance, Missing, close_init
from catdl.check.context import Context, Interned, Pieces
from catdl.check.elaborate import apply
from catdl.check.facts import Noted, demand, settle_bounds
from catdl.check.finish import finish
from catdl.check.forms import is_wire
from catdl.check.inner import drawing, settle
from catdl.check.kinds import Kinds
from catdl.check.places import check_orders, check_places
from catdl.check.plugs import elaborate_step
from catdl.check.ports import in_order
from catdl.check.promises import unkept
from catdl.check.results import arrow_span, extern, nothing_read, result_span, settled_apart, written_at
from catdl.check.schemes import scheme
from catdl.check.scope import (
    DimDef,
    Env,
    Module,
    MorphismDef,
    PreludeScope,
)
from catdl.check.signature import FixedPart, Part, Scheme
from catdl.check.stand_ins import bound, groups, side
from catdl.check.static import Refused
from catdl.check.templates import choose
from catdl.check.traits import traits_of
from catdl.check.wiring import wires
from catdl.check.work import STEPS_PER_INSTANCE, Work
from catdl.diagnostics.base import Diagnostic, has_errors
from catdl.diagram.model import Diagram, Init, Parameter
from catdl.diagram.params import leaf_count, owns
from catdl.diagram.told import Needs
from catdl.record import field, record, replace
from catdl.source import Source, Span
from catdl.symmetry.actions import Act
from catdl.syntax import ast
from catdl.types.ragged import MARK
from catdl.types.sizes import Facts, Size, SizeTooLarge
from catdl.types.types import Leaf, Object

INSTANCE_DEPTH = 2_500
INSTANCE_LIMIT = 20_000
LEAF_LIMIT = 50_000

if TYPE_CHECKING:
    from catdl.check.ragged import Done


def known(ctx: Context, scheme: Scheme | None) -> Scheme | None:
    """A signature whose closed types are known by identity."""
    if scheme is None or scheme.generic:
        return scheme

    def side_of(parts: tuple[Part, ...]) -> tuple[Part, ...]:
        return tuple(
            FixedPart(p.node, Object(tuple(ctx.canon(leaf) for leaf in p.value.leaves), p.value.names, p.value.groups))
            for p in parts
            if isinstance(p, FixedPart)
        )

    return Scheme(scheme.binders, side_of(scheme.domain), side_of(scheme.codomain), scheme.random, False)


@record(frozen=False)
class Task:
    """One morphism being made into a diagram."""

    instance: Instance
    span: Span
    depth: int = 0
    ctx: Context | None = None
    builder: Builder | None = None
    failed: bool = False


Load = Callable[[str, Source], bytes]
"""What stands in a file beside a source. Raises OSError."""


def nothing(name: str, source: Source) -> bytes:
    """There are no files."""
    raise OSError("no files are read here")


@record(frozen=False)
class Program:
    """What checking yields, and the library that elaboration asks."""

    prelude: PreludeScope
    main: Module
    kinds: Kinds
    modules: dict[str, Module] = field(default_factory=dict)
    knotted: set[str] = field(default_factory=set)  # modules on a cycle of imports or behind one: names may be missing
    diagnostics: list[Diagnostic] = field(default_factory=list)
    told: set[tuple[str, Span | None]] = field(default_factory=set)  # the code and the place of each
    facts: Facts = field(default_factory=Facts)
    ragged: bool = False  # whether any dim is `var`
    packed: Done = field(default_factory=dict)  # the diagrams whose var dims are looked at
    interned: Interned = field(default_factory=Interned)
    schemes: dict[MorphismDef, Scheme | None] = field(default_factory=dict)
    diagrams: dict[Instance, Diagram | None] = field(default_factory=dict)
    closed_diagrams: dict[MorphismDef, Diagram | None] = field(default_factory=dict)
    needs: dict[int, Needs] = field(default_factory=dict)  # the dims that each diagram needs, by its identity
    trait_memo: dict[MorphismDef, tuple[bool, frozenset[str]]] = field(default_factory=dict)
    templates: dict[MorphismDef, bool] = field(default_factory=dict)
    work: Work = field(default_factory=Work)
    load: Load = nothing

    def report(self, diagnostic: Diagnostic) -> None:
        """Note a mistake, once for each place: a template is wrong in the same way at every use."""
        place = (diagnostic.code, diagnostic.span)
        if place not in self.told:
            self.told.add(place)
            self.diagnostics.append(diagnostic)
            if diagnostic.severity == "error":
                self.work.mistake(diagnostic.span)

    def entry(self, name: str) -> object | None:
        """An entry of the prelude by name."""
        return self.prelude.find(name)

    def dim(self, label: str) -> DimDef | None:
        """The dim that a label, or the sym of its size, names."""
        module, _, name = label.replace(MARK, "::").rpartition("::")
        home = self.main if module == self.main.name else self.modules.get(module)
        found = home.defs.get(name) if home is not None else None
        return found if isinstance(found, DimDef) else None

    def role(self, label: str) -> tuple[Act, Size] | None:
        """How a group acts on the dim of a label, if one does, and its size."""
        dim = self.dim(label)
        return (dim.act, dim.axis.size) if dim is not None and dim.act is not None else None

    def time(self, label: str) -> Size | None:
        """The size of the dim of a label, if it is a time."""
        dim = self.dim(label)
        return dim.axis.size if dim is not None and dim.other == "time" else None

    def context(self, report: Callable[[Diagnostic], None], facts: Facts | None = None) -> Context:
        """A context for one declaration; `facts` are what it may assume beyond the program's."""
        interned = self.interned
        if facts is not None and facts is not self.facts:
            # Types found under further facts (a floor that is exact) hold nowhere else.
            interned = Interned(interned.leaves, interned.ids, {})
        return Context(self, report, facts or self.facts, apply, wires, interned)

    def scheme(self, definition: MorphismDef) -> Scheme | None:
        """The signature of a morphism. Raises Refused when it is wrong."""
        if definition not in self.schemes:
            failed: list[Diagnostic] = []
            ctx = self.context(failed.append, self.assumed(definition, Env(definition.module)))
            try:
                self.schemes[definition] = known(ctx, scheme(ctx.types, definition))
            except Refused:
                self.schemes[definition] = None
                self.templates[definition] = False
                self.diagnostics += failed
                raise
            self.diagnostics += failed
        found = self.schemes[definition]
        if found is None and isinstance(definition.head.signature, ast.Arrow):
            raise Refused
        return found

    def closed(self, definition: MorphismDef) -> Diagram | None:
        """The diagram of a morphism without arguments."""
        return self.closed_diagrams.get(definition)

    def is_template(self, definition: MorphismDef) -> bool:
        """Whether a morphism is elaborated anew at every use."""
        found = self.templates.get(definition)
        if found is None:
            arrows = any(isinstance(p.sort, ast.Arrow) for e in definition.equations for p in e.params or ())
            unsigned = definition.head.signature is None
            found = arrows or (
                unsigned
                and definition.head.keyword != "extern"
                and bool(definition.module.name or definition.head.body)
            )
            self.templates[definition] = found
        return found

    def traits(self, definition: MorphismDef) -> tuple[bool, frozenset[str]]:
        """Whether its own text may hold parameters, and its effects."""
        diagram = self.closed_diagrams.get(definition)
        if diagram is not None:
            return owns(diagram), diagram.effects
        found = self.trait_memo.get(definition)
        if found is None:
            found = traits_of(definition, self.trait_memo, self.closed_diagrams)
        return found

    def ready(self, instance: Instance) -> Diagram | None:
        """The diagram of an instance. Raises KeyError when it is to be made."""
        definition = instance.definition
        if not instance.args and not instance.binds and definition in self.closed_diagrams:
            return self.closed_diagrams[definition]
        return self.diagrams[instance]

    def record(self, ctx: Context, morphism: ast.Expr, env: Env) -> tuple[Parameter, ...]:
        """The own leaves of a morphism whose types are fixed. Raises Refused."""
        from catdl.check.recorded import recorded  # late: few specs name the weights of a morphism

        return recorded(self, ctx, morphism, env)

    def collect(
        self, ctx: Context, morphism: ast.Expr, env: Env, b: Builder, wires: list[W], label: str | None
    ) -> Bundle:
        """A morphism applied to wires, with what it emits. Raises Refused."""
        from catdl.check.collecting import collecting  # late: few specs collect

        return collecting(self, ctx, morphism, env, b, wires, label)

    def stepping(
        self, ctx: Context, morphism: ast.Expr, env: Env, b: Builder, wires: list[W], pieces: Pieces
    ) -> Bundle:
        """A morphism applied to a piece of a sequence. Raises Refused."""
        from catdl.check.stepping import stepping  # late: few specs step

        return stepping(self, ctx, morphism, env, b, wires, pieces)

    def start(self, ctx: Context, init: Start, span: Span, leaf: Leaf) -> Init:
        """How a parameter starts, with all that a formula needs. Raises Refused."""
        while True:
            try:
                return close_init(ctx, init, span, leaf, self)
            except Missing as missing:
                if any(self.make(other, place, ctx.report) is None for other, place in missing.instances.items()):
                    raise Refused from None

    def step(self, ctx: Context, plug: Plugged, leaf: Leaf) -> Diagram:
        """A morphism in a plug, as a diagram from a leaf or from nothing to one. Raises Missing and Refused."""
        found: list[Diagnostic] = []

        def note(diagnostic: Diagnostic) -> None:
            found.append(diagnostic)
            ctx.report(diagnostic)

        inside = self.context(note, ctx.facts)
        builder = elaborate_step(inside, plug, leaf)
        if has_errors(found):
            raise Refused
        return finish(inside, builder, tuple(ctx.facts.divides), self)

    def definition(self, instance: Instance) -> Callable[[], Diagram]:
        """How to make the definition of a prelude entry."""

        def make() -> Diagram:
            told: list[Diagnostic] = []
            with self.work.apart():
                found = self.make(instance, instance.definition.span, told.append)
            if found is None:
                for diagnostic in told:
                    if isinstance(diagnostic, wrong.LimitExceeded):  # of the numbers that a layer is given
                        raise SizeTooLarge(diagnostic.what, diagnostic.limit)
                shown = "; ".join(d.parts().message for d in told)
                raise RuntimeError(f"the prelude's definition of {instance.definition.name} is wrong: {shown}")
            return found

        return make

    def require(self, ctx: Context, instance: Instance, span: Span) -> None:
        """Make the definition of a prelude entry at once, and tell what is wrong with it of a use. Raises Refused."""
        with self.work.apart():
            if self.make(instance, span, ctx.report) is None:
                raise Refused

    def diagram(self, name: str) -> Diagram | None:
        """The diagram of a morphism of the main file that takes no arguments."""
        found = self.main.defs.get(name)
        return self.closed_diagrams.get(found) if isinstance(found, MorphismDef) else None

    def make(self, instance: Instance, span: Span, report: Callable[[Diagnostic], None]) -> Diagram | None:
        """The diagram of an instance and of all it needs; no recursion, however deep instances go."""
        stack = [Task(instance, span)]
        under_way: set[Instance] = set()
        while stack:
            task = stack[-1]
            if task.instance in self.diagrams:
                under_way.discard(stack.pop().instance)
                continue
            if task.builder is None and not task.failed:
                under_way.add(task.instance)
                if self.work.spend(STEPS_PER_INSTANCE, task.span):
                    self.elaborate(task, report)
                else:
                    task.failed = True
            done: Diagram | None = None
            if not task.failed and task.ctx is not None and task.builder is not None:
                try:
                    done = finish(task.ctx, task.builder, tuple(task.ctx.facts.divides), self)
                except Missing as missing:
                    full = len(self.diagrams) - len(self.closed_diagrams) > INSTANCE_LIMIT
                    for other, place in reversed(missing.instances.items()):
                        if other in under_way or task.depth >= INSTANCE_DEPTH or full:
                            report(wrong.DepthLimit(place, other.definition.name, INSTANCE_DEPTH))
                            self.diagrams[other] = None
                        else:
                            stack.append(Task(other, place, task.depth + 1))
                    continue
                except Refused:
                    done = None
                except SizeTooLarge as error:
                    report(wrong.LimitExceeded(task.span, error.what, error.limit))
            definition = task.instance.definition
            if done is not None and leaf_count(done) > LEAF_LIMIT:
                what = f"the number of parameters of `{definition.name}`"
                report(wrong.LimitExceeded(task.span, what, LEAF_LIMIT))
                done = None
            if self.ragged and done is not None and definition.module.name:
                from catdl.check.ragged import refused  # late: few specs have var dims

                assert task.ctx is not None
                if found := refused(done, task.ctx.facts, self.packed):
                    for diagnostic in found:
                        report(diagnostic)
                    done = None
            if done is not None and (faults := unkept(self, definition, done)):
                for diagnostic in faults:
                    report(diagnostic)
                done = None
            self.diagrams[task.instance] = done
            if not task.instance.args and not task.instance.binds:
                self.closed_diagrams[definition] = done
            under_way.discard(stack.pop().instance)
        return self.diagrams[instance]

    def elaborate(self, task: Task, report: Callable[[Diagnostic], None]) -> None:
        """The body of an instance, as a builder whose unknowns are solved."""
        definition = task.instance.definition

        def note(diagnostic: Diagnostic) -> None:
            at = diagnostic.span
            if not definition.module.name and at is not None and at.source is definition.module.source:
                # What a layer cannot do with its arguments is told of the use, not of the prelude.
                diagnostic = replace(cast(Any, diagnostic), span=task.span)
            report(diagnostic)

        names: dict[str, object] = {}
        outer_labels = bool(definition.module.name)
        rows = dict(task.instance.binds)
        for name, value in (*task.instance.args, *task.instance.binds):
            whole = rows.get(name.rstrip("'")) if name.endswith("'") else None
            names[name] = bound(name, value, definition, outer_labels, whole)
        env = Env(definition.module, None, names)
        ctx = self.context(note, self.assumed(definition, env, task.instance.facts))
        task.ctx = ctx
        try:
            values = dict(task.instance.args)
            equation = choose(ctx, definition, values, names, task.span)
            scheme = self.scheme(definition)
            if scheme is None:
                domain, codomain = self.peek(definition), None
            else:
                domain, codomain = side(ctx, scheme.domain, env), side(ctx, scheme.codomain, env)
            if domain is None:
                raise Refused
            task.builder = self.body(ctx, definition, equation, env, domain, codomain, scheme)
            task.builder.arguments = task.instance.args
        except RecursionError:
            self.work.too_deep(task.span)
            task.failed = True
        except SizeTooLarge as error:
            note(wrong.LimitExceeded(task.span, error.what, error.limit))
            task.failed = True
        except Refused:
            task.failed = True
        if ctx.failed:
            task.failed = True

    def assumed(self, definition: MorphismDef, env: Env, base: Facts | None = None) -> Facts:
        """The program's facts (or others) and those of a signature's own `where`, which every call has to prove."""
        known = base or self.facts
        if definition.head.where is None:
            return known
        quiet = self.context(lambda _: None)
        noted = Noted(known)
        for fact in definition.head.where.facts:
            try:
                noted.note(quiet, fact, env)
            except Refused:
                continue
        return noted.facts()

    def body(
        self,
        ctx: Context,
        definition: MorphismDef,
        equation: ast.Morphism,
        env: Env,
        domain: Object,
        codomain: Object | None,
        scheme: Scheme | None,
    ) -> Builder:
        """Elaborate one equation and solve its unknowns. Raises Refused."""
        b = Builder(definition.name, owner=definition)
        places = written_at(definition, scheme, domain)
        for leaf, name, place in zip(domain.leaves, domain.names, places, strict=True):
            b.input(ctx.canon(leaf), name, where=place)
        inp = Bundle(list(b.inputs), domain.names if any(domain.names) else None)
        inp.groups = groups(ctx, scheme, env) if scheme is not None else None
        body = equation.body
        span = definition.span
        if body is None:
            ctx.report(wrong.BadValue(span, f"`{definition.name}` has no body"))
            raise Refused
        if definition.head.keyword == "extern":
            return extern(ctx, b, definition, body, env, codomain)
        if is_wire(ctx, body, env):
            if b.inputs and equation.signature is not None:
                ctx.report(nothing_read(definition.module, equation.signature, body))
            out = ctx.wires(body, env, b)
        else:
            out = ctx.apply(body, env, b, inp)
        fits = True
        if codomain is not None and not out.bad:
            signature = equation.signature if isinstance(equation.signature, ast.Arrow) else definition.head.signature
            assert isinstance(signature, ast.Arrow)
            origin = definition.module.span(signature.codomain)
            where = result_span(definition.module, body, b.choices)
            way = out.way
            out = in_order(out, codomain.names)
            result = f"the result of `{definition.name}`"
            if codomain.leaves and codomain.leaves[0].kind.cases:
                from catdl.check.summands import fits_sum  # late: few specs have sums

                fits = fits_sum(ctx, out, codomain, where, result, origin)
            else:
                fits = ctx.ports(out, codomain, where, result, origin, "the declared codomain", way=way)
        check_orders(ctx, b)
        for fact, scope, blame in ctx.demands:
            demand(ctx, fact, scope, blame)
        broken = out.bad or not fits or ctx.failed
        if broken:
            ctx.solver.settle()
        ctx.solver.conclude(broken, settled_apart(b) if broken else frozenset())
        b.bounds = settle_bounds(ctx)
        if out.bad or not fits:
            raise Refused
        b.outputs = [b.take(w) for w in out.wires]
        names = codomain.names if codomain is not None else out.names
        b.out_names = names or (None,) * len(b.outputs)
        b.in_names = domain.names
        check_places(ctx, b)
        settle(ctx, b)
        if scheme is not None and not scheme.random and "rand" in b.effects:
            box = drawing(ctx, b)
            where = box.span if box is not None else span
            raise ctx.refuse(
                wrong.RandomUnderDeterministic(
                    where, definition.name, re.split(r"[({]", where.text)[0], arrow_span(definition)
                )
            )
        if codomain is not None:
            # The wires that leave are typed as declared: the declared kind and the declared names of the axes.
            given = {*b.inputs, *b.captured.values()}
            for wire, leaf in zip(b.outputs, codomain.leaves, strict=True):
                if wire not in given:
                    wire.leaf = leaf
        return b

    def peek(self, definition: MorphismDef) -> Object | None:
        """The domain of an unsigned morphism, when its first step has one of its own."""
        body = definition.head.body
        while True:
            match body:
                case ast.Seq(steps):
                    body = steps[0]
                case ast.Labelled(_, inner) | ast.Tie(_, inner):
                    body = inner
                case ast.Name(id):
                    found = definition.module.find(id)
                    if not isinstance(found, MorphismDef) or found is definition:
                        return None
                    diagram = self.closed_diagrams.get(found)
                    if diagram is None:
                        return None
                    return Object(tuple(diagram.wires[i].type for i in diagram.inputs), diagram.domain_names)
                case _:
                    return None
