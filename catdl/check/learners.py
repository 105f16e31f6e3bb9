"""Learners: what is trained, on what and how, each part checked against the others.

Takes the declaration of a learner whose model and loss are read already; guarantees a `Learner` in which the model, the
loss and the columns of the data fit together and a gradient of the loss reaches every weight that is learned, or says
what does not fit. Where the loss takes more than the model gives, its signature says what: the targets.

    learner digits { data = table("digits.npz", input = image / 16, target = label), model = mlp, … }
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import TypeVar

from catdl import diagnostics as wrong
from catdl.check.arguments import bind_arguments, open_binding
from catdl.check.batchwise import batch_axis, batch_in, lifted, of_one
from catdl.check.builder import BAD, Builder, W
from catdl.check.columns import Ports, data_of
from catdl.check.emit import closed_leaf
from catdl.check.forms import aliased, head_of, written
from catdl.check.generic import finished
from catdl.check.match import match_leaf, ports_of, types_of
from catdl.check.names import take_turns
from catdl.check.plugs import stands_for_nothing
from catdl.check.program import Program
from catdl.check.results import called, foreign
from catdl.check.scope import BadDef, Env, LearnerDef, MorphismDef
from catdl.check.settings import AVERAGES, CLIPS, GROUPS, OPTIMIZERS, SCHEDULES, STOPS, setting, shown
from catdl.check.signature import FixedPart, LeafPart, decided
from catdl.check.static import Refused
from catdl.check.trained import Trained, trained
from catdl.diagnostics.base import Diagnostic, has_errors
from catdl.diagnostics.suggest import near
from catdl.diagram.gradients import Reach, reached
from catdl.diagram.learned import held_still, weights_of
from catdl.diagram.learner import Alternation, Data, Foreign, Learner, Metric, Setting, Stop
from catdl.diagram.model import Diagram, Global
from catdl.source import Span
from catdl.syntax import ast
from catdl.types.types import Leaf, Object, show_leaf, show_object, walk_axes

FIELDS = (
    *("data", "validate", "test", "model", "loss", "train", "optimizer", "groups", "schedule", "clip", "average"),
    *("metrics", "stop", "batch", "accumulate", "seed", "device", "precision"),
)
OF_TURNS = ("turns", "stop", "seed", "device", "precision")
"""The fields of a learner that lets others take turns."""
T = TypeVar("T")

DEVICES = ("cpu", "cuda", "auto")
PRECISIONS = ("float32", "float64", "bfloat16")
LARGEST = 2**63 - 1  # what torch counts with
_NEEDED = {
    "data": 'data = table("file.npz", input = x, target = y)',
    "loss": "loss = cross_entropy",
    "optimizer": "optimizer = adamw(lr = 1e-3)",
    "stop": "stop = epochs(10)",
}
"""What every learner has, with an example of it."""


def read_learner(program: Program, learner: LearnerDef) -> None:
    """Check a learner; what is wrong is told, and then it has no plan."""
    found: list[Diagnostic] = []

    def note(diagnostic: Diagnostic) -> None:
        found.append(diagnostic)
        program.report(diagnostic)

    reading = Reading(program, learner, note)
    plan = reading.plan()
    if not has_errors(found):
        learner.plan = plan


class Reading:
    """One learner on its way to a plan. Each part is read by itself, so that each mistake is told."""

    def __init__(self, program: Program, learner: LearnerDef, note: Callable[[Diagnostic], None]) -> None:
        self.program = program
        self.learner = learner
        self.note = note
        self.module = learner.module
        self.env = Env(learner.module)
        self.ctx = program.context(note)
        self.fields: dict[str, ast.Expr] = {}
        self.strange = False  # a field is called as none is
        self.stores = [field for field in learner.node.fields if isinstance(field, ast.Store)]
        fields = [(field.pattern, field.value) for field in learner.node.fields if isinstance(field, ast.Bind)]
        self.of_turns = any(isinstance(pattern, ast.Name) and pattern.id == "turns" for pattern, _ in fields)
        known: tuple[str, ...] = OF_TURNS if self.of_turns else FIELDS
        what = "field of a learner whose learners take turns" if self.of_turns else "field of a learner"
        for pattern, value in fields:
            if not isinstance(pattern, ast.Name):
                continue  # told by the parser
            name, span = pattern.id, self.module.span(pattern)
            if name not in known:
                close = near(name, (*known, "turns"))
                note(wrong.NoSuchSetting(span, what, name, known, close))
                self.strange = True
            elif name in self.fields:
                note(wrong.DuplicateName(span, name, self.module.span(self.fields[name])))
            else:
                self.fields[name] = value

    def span(self, name: str) -> Span:
        """Where a field's value is written; the learner's name where it is left out."""
        return self.module.span(self.fields[name]) if name in self.fields else self.learner.span

    def read(self, name: str, how: Callable[[ast.Expr], T], default: T) -> T:
        """A field, or its default where it is left out or wrong."""
        node = self.fields.get(name)
        if node is None or isinstance(node, ast.Bad):
            return default
        try:
            return how(node)
        except Refused:
            return default

    def lacks(self, needed: Iterable[str]) -> None:
        """Tell which of these fields are left out."""
        missing = tuple(name for name in needed if name not in self.fields)
        if missing and not self.module.half_read(self.learner.node.start):
            examples = tuple(_NEEDED[name] for name in missing)
            self.note(wrong.FieldMissing(self.learner.span, self.learner.name, missing, examples))

    def plan(self) -> Learner | Alternation | None:
        """The whole learner, where it has all it needs."""
        if self.of_turns:
            from catdl.check.turns import alternation  # late: few learners take turns

            return alternation(self)
        alternated = self.learner.name in take_turns(self.module.tree.decls)
        self.lacks(name for name in _NEEDED if name != "stop" or not alternated)
        model = self.read("model", self.model, None)
        ports = loss = learned = None
        known = "model" not in self.fields or model is not None
        if known:
            ports, model, loss, learned = self.objective(model)
        else:
            self.glance(self.fields.get("loss"))
        data, validate, test = self.sources(ports)
        metrics = self.metrics(model, ports)
        names = self.measured()
        optimizer = self.read("optimizer", lambda e: setting(self.ctx, e, self.env, "optimizer", OPTIMIZERS), None)
        never = Stop("never", (), None)
        stop = self.read("stop", lambda e: self.stop(e, names), never if alternated else None)
        average = self.read("average", lambda e: setting(self.ctx, e, self.env, "average of weights", AVERAGES), None)
        schedule = self.read("schedule", lambda e: setting(self.ctx, e, self.env, "schedule", SCHEDULES), None)
        clip = self.read("clip", lambda e: setting(self.ctx, e, self.env, "way to clip", CLIPS), None)
        none: tuple[Setting, ...] = ()
        groups = self.read("groups", self.groups, none)
        words, counts = self.words(), self.counts()
        across = "loss" in self.fields and batch_axis(self.program, self.fields["loss"], self.env) is not None
        if across and counts["accumulate"] > 1:
            sort, why = "1 where the loss looks across the batch", "over the parts of a batch it is another loss"
            self.note(wrong.BadSetting(self.span("accumulate"), "accumulate", sort, f"`{counts['accumulate']}`", why))
        if loss is None or ports is None or data is None or optimizer is None or stop is None or learned is None:
            return None
        return Learner(
            self.learner.name, model, loss, ports.inputs, data, validate, test, optimizer, groups, schedule, clip,
            metrics, stop, across, counts["batch"], counts["accumulate"], counts["seed"], words["device"],
            words["precision"], learned.still, learned.chosen, learned.moves, average, self.learner.span,
        )  # fmt: skip

    def words(self) -> dict[str, str]:
        """Fields that are a word."""
        return {
            name: self.read(name, lambda e, name=name, known=known: self.word(e, name, known), known[0])  # type: ignore[misc]
            for name, known in (("device", DEVICES), ("precision", PRECISIONS))
        }

    def counts(self) -> dict[str, int]:
        """Fields that are a whole number."""
        return {
            name: self.read(name, lambda e, name=name, least=least: self.count(e, name, least), default)  # type: ignore[misc]
            for name, least, default in (("batch", 1, 32), ("accumulate", 1, 1), ("seed", 0, 0))
        }

    def model(self, node: ast.Expr) -> Diagram:
        """The network: a morphism that stands alone. Raises Refused."""
        target = aliased(self.env.find(node.id)) if isinstance(node, ast.Name) else None
        span = self.module.span(node)
        if isinstance(target, BadDef):
            raise Refused
        if isinstance(node, ast.Name) and target is None:
            names = [name for name, d in self.module.defs.items() if isinstance(d, MorphismDef)]
            raise self.ctx.refuse(wrong.UnknownName(span, node.id, "morphism", near(node.id, names)))
        if not isinstance(target, MorphismDef) or not target.module.name:
            sort = "a morphism of the file, by its name"
            raise self.ctx.refuse(wrong.BadSetting(span, "model", sort, f"`{span.text}`"))
        self.module.used.add(target.name)
        found = self.program.closed(target)
        if found is None:
            if self.program.is_template(target) or target.head.params is not None or target.head.binders:
                sort = "a morphism with a type and without arguments"
                note = "declare a morphism that gives them, and name that one"
                self.note(wrong.BadSetting(span, "model", sort, f"`{span.text}`", note))
            raise Refused
        for leaf in (found.wires[w].type for w in (*found.inputs, *found.outputs)):
            if batch_in(self.program, leaf) is not None:
                raise self.ctx.refuse(wrong.BatchMisplaced(span, f"`{target.name}`", show_leaf(leaf)))
        return found

    def objective(self, model: Diagram | None) -> tuple[Ports | None, Diagram | None, Diagram | None, Trained | None]:
        """The ports that columns come to, model and loss with what is not trained held still, and what is trained."""
        node = self.fields.get("loss")
        if node is None or isinstance(node, ast.Bad):
            return None, model, None, None
        given = ends(model) if model is not None else Object((), ())
        batch = batch_axis(self.program, node, self.env)
        if batch is not None:
            given = lifted(given, batch)
        try:
            targets = self.beyond(node, given)
            if targets is None:
                raise self.ctx.refuse(wrong.TargetUntold(self.module.span(node), show_object(given)))
            alone = self.closed(node) if model is None else None  # its keys are those it has by itself
            loss = alone or self.applied(node, joined(given, targets), "loss")
            if batch is not None:
                targets = of_one(self.ctx, targets, batch, self.module.span(node))
        except Refused:
            return None, model, None, None
        ports = Ports.of(model, targets)
        weights = weights_of(model, loss)
        try:
            learned = trained(self.ctx, self.env, self.fields.get("train"), self.stores, weights)
        except Refused:
            return ports, model, loss, None
        if learned.still:
            still = [weight for weight in weights if weight.key in learned.still]
            model = held_still(model, (w for w in still if not w.in_loss or w.declared)) if model is not None else None
            loss = held_still(loss, (w for w in still if w.in_loss or w.declared or model is None))
        self.check_loss(model, loss, ports, self.module.span(node))
        return ports, model, loss, learned

    def glance(self, node: ast.Expr | None) -> None:
        """Tell what is wrong with a morphism whatever comes in, where that is not known."""
        if node is not None and not isinstance(node, ast.Bad):
            self.ctx.apply(node, self.env, Builder("glance"), BAD)

    def closed(self, node: ast.Expr) -> Diagram | None:
        """The diagram of a morphism of the file that is named, if it stands alone."""
        target = aliased(self.env.find(node.id)) if isinstance(node, ast.Name) else None
        if not isinstance(target, MorphismDef) or not target.module.name:
            return None
        self.module.used.add(target.name)
        return self.program.closed(target)

    def check_loss(self, model: Diagram | None, loss: Diagram, ports: Ports, span: Span) -> None:
        """One number, that depends on all it is given and teaches all that is learned."""
        leaves = [loss.wires[w].type for w in loss.outputs]
        if not self.number(leaves) and not self.mean(loss):
            self.note(wrong.LossNotScalar(span, show_object(ends(loss))))
            return
        needed = reached(loss, {0}, gradient=False).inputs
        count = len(model.outputs) if model is not None else 0
        if count and needed.isdisjoint(range(count)):
            self.note(wrong.LossIgnores(span, "what the model gives"))
            return
        for place in range(count, len(loss.inputs)):
            if place not in needed:
                self.note(wrong.LossIgnores(span, f"`{ports.names[ports.inputs + place - count]}`"))
        found = reached(loss, {0})
        trained, within = loss, found
        if model is not None:
            trained, within = model, reached(model, {k for k in found.inputs if k < count})
        if not within.taught and not found.taught:
            self.teaches_nothing(trained, within if within.stops else found, span)
            return
        told = (*within.untaught, *(found.untaught if model is not None else ()))
        records: set[str] = set()
        for box in told:
            name = str(getattr(box.op, "entry", None) or box.site or "these weights")
            if isinstance(box.op, Global):  # a record is told once
                name = box.op.parameter.path.partition(".")[0]
                if name in records:
                    continue
                records.add(name)
            self.note(wrong.WeightsUntaught(box.span, name, trained.name, span))

    def number(self, leaves: list[Leaf]) -> bool:
        """Whether these are one real number."""
        return len(leaves) == 1 and not leaves[0].axes and self.program.kinds.root(leaves[0].kind.name) == "Real"

    def mean(self, diagram: Diagram) -> bool:
        """Whether what a diagram gives is a `Mean`: a sum, and what it is to be divided by."""
        leaves = [diagram.wires[w].type for w in diagram.outputs]
        return diagram.codomain_names == ("sum", "weight") and all(self.number([leaf]) for leaf in leaves)

    def teaches_nothing(self, trained: Diagram, found: Reach, span: Span) -> None:
        """Say where the way back from the loss ends."""
        field = self.span("model") if "model" in self.fields else None
        box = found.stops[-1] if found.stops else None
        name = written(box) if box is not None else ""
        at = box.span if box is not None and box.span.source.path == span.source.path else span
        self.note(wrong.LossTeachesNothing(at, trained.name, name, field))

    def beyond(self, node: ast.Expr, given: Object) -> Object | None:
        """What a morphism takes after these wires, by its signature. None where it does not say. Raises Refused."""
        while isinstance(node, ast.Seq):
            node = node.steps[0]
        head = head_of(self.ctx, node, self.env)
        target = aliased(head.target) if head is not None else None
        if head is None or not isinstance(target, MorphismDef):
            if isinstance(target, BadDef):
                raise Refused
            if head is not None and target is None:
                known = [name for name, d in self.module.defs.items() if isinstance(d, MorphismDef)]
                near_names = near(head.name, [*known, *self.program.prelude.names()])
                raise self.ctx.refuse(wrong.UnknownName(head.name_span, head.name, "morphism", near_names))
            return None
        scheme = self.program.scheme(target)
        if scheme is None:
            return None
        assert head.span is not None
        wires = [W(Builder("given"), leaf, False, None, head.span) for leaf in given.leaves]
        values = bind_arguments(self.ctx, target, head, head.span)
        binding = open_binding(self.ctx, target, scheme, head, values, head.span)
        leaves: list[Leaf] = []
        names: list[str | None] = []
        place = 0
        for part in decided(scheme.domain, self.ctx.statics, binding.env)[0]:
            match part:
                case FixedPart(_, value):
                    rest = max(0, len(value.leaves) - max(0, len(wires) - place))
                    leaves += value.leaves[len(value.leaves) - rest :]
                    names += value.names[len(value.names) - rest :]
                    place += len(value.leaves)
                case LeafPart(name=name):
                    if place < len(wires):
                        port = ports_of(binding, part, place, len(wires))
                        match_leaf(binding, part, wires[place], port(0))
                    else:
                        leaves.append(types_of(binding, part))
                        names.append(name)
                    place += 1
                case _:
                    return None
        if not all(closed_leaf(leaf) for leaf in leaves):
            return None
        leaves = [self.ctx.canon(Leaf(leaf.kind, walk_axes(leaf.axes))) for leaf in leaves]
        return Object(tuple(leaves), tuple(names))

    def applied(self, node: ast.Expr, domain: Object, name: str) -> Diagram:
        """A morphism expression as a diagram of its own. Raises Refused."""
        failed: list[Diagnostic] = []

        def note(diagnostic: Diagnostic) -> None:
            failed.append(diagnostic)
            self.note(diagnostic)

        start, end = node.start, node.end
        written = ast.Morphism(name, "morphism", (), (), None, None, None, node, start, end, start, end)
        definition = MorphismDef(name, self.module, [written], self.module.span(node))
        ctx = self.program.context(note)
        builder = self.program.body(ctx, definition, written, self.env, domain, None, None)
        diagram = finished(self.program, ctx, builder, definition.span)
        if has_errors(failed):
            raise Refused
        return diagram

    def sources(self, ports: Ports | None) -> tuple[Data | None, Data | Fraction | None, Data | Fraction | None]:
        """The data to learn from, and those to look at."""
        owner = self.fields.get("model") or self.fields.get("loss")
        named = self.module.span(owner).text if owner is not None else self.learner.name
        data = self.read("data", lambda e: data_of(self.ctx, e, self.env, ports, named), None)

        def apart(name: str) -> Data | Fraction | None:
            node = self.fields.get(name)
            if node is None or isinstance(node, ast.Call | ast.Bad):
                return self.read(name, lambda e: data_of(self.ctx, e, self.env, ports, named), None)
            return self.read(name, lambda e: self.share(e, name), None)

        return data, apart("validate"), apart("test")

    def share(self, node: ast.Expr, name: str) -> Fraction:
        """A part of the data that is held out. Raises Refused."""
        found = self.ctx.statics.value(node, self.env)
        if isinstance(found, Fraction | int) and 0 < found < 1:
            return Fraction(found)
        sort = "data, or the share of the data that is held out, between 0 and 1"
        raise self.ctx.refuse(wrong.BadSetting(self.module.span(node), name, sort, shown(found)))

    def metrics(self, model: Diagram | None, ports: Ports | None) -> tuple[Metric, ...]:
        """What is measured beside the loss."""
        node = self.fields.get("metrics")
        if node is None or isinstance(node, ast.Bad):
            return ()
        if not isinstance(node, ast.List):
            sort = "a list of morphisms, `[accuracy]`"
            self.note(wrong.BadSetting(self.module.span(node), "metrics", sort, f"`{self.module.span(node).text}`"))
            return ()
        if ports is None:
            for item in node.items:
                self.glance(item)
            return ()
        domain = joined(ends(model), ports.targets) if model is not None else ports.targets
        found: list[Metric] = []
        for item in node.items:
            inner = item.body if isinstance(item, ast.Labelled) else item
            if foreign(inner):
                found += self.outside(item, inner)
                continue
            head = head_of(self.ctx, item, self.env)
            name = (head.label or head.name) if head is not None else self.module.span(item).text
            try:
                batch = batch_axis(self.program, item, self.env)
                diagram = self.applied(item, domain if batch is None else lifted(domain, batch), name)
            except Refused:
                continue
            leaves = [diagram.wires[w].type for w in diagram.outputs]
            if not self.number(leaves) and not self.mean(diagram):
                self.note(wrong.LossNotScalar(self.module.span(item), show_object(ends(diagram)), "a metric"))
                continue
            found.append(Metric(name, diagram, batch is not None))
        return tuple(found)

    def outside(self, item: ast.Expr, node: ast.Call) -> list[Metric]:
        """A metric of another package, under its label or the name of its class."""
        try:
            target, args = called(self.ctx, node, self.env, "a metric")
        except Refused:
            return []
        name = item.name if isinstance(item, ast.Labelled) else target.rpartition(":")[2].rpartition(".")[2]
        return [Metric(name, Foreign(target, args, self.module.span(node)), False)]

    def groups(self, node: ast.Expr) -> tuple[Setting, ...]:
        """Weights that have a learning rate or a decay of their own. Raises Refused."""
        if not isinstance(node, ast.List):
            sort = 'a list, `[group("no_decay", weight_decay = 0)]`'
            raise self.ctx.refuse(wrong.BadSetting(self.module.span(node), "groups", sort, "something else"))
        return tuple(setting(self.ctx, item, self.env, "group of weights", GROUPS) for item in node.items)

    def measured(self) -> set[str] | None:
        """What may be waited for, as it is written; None where a misspelt word may be what is meant."""
        node, names = self.fields.get("metrics"), {"loss"}
        if node is None:
            return None if self.strange or self.module.half_read(self.learner.node.start) else names
        for item in node.items if isinstance(node, ast.List) else (node,):
            head = head_of(self.ctx, item, self.env)
            if head is None or head.root is None or stands_for_nothing(head.root, self.env):
                return None
            names.add(head.label or head.name)
        return names

    def stop(self, node: ast.Expr, metrics: set[str] | None) -> Stop:
        """When training ends; `metrics` is None where it is not known what is measured. Raises Refused."""
        match node:
            case ast.Copair(legs):
                return Stop("any", tuple(self.stop(leg, metrics) for leg in legs), None)
            case ast.Fan(legs):
                return Stop("all", tuple(self.stop(leg, metrics) for leg in legs), None)
            case ast.Tuple((ast.Arg(None, _, only),)):
                return self.stop(only, metrics)
            case _:
                found = setting(self.ctx, node, self.env, "way to stop", STOPS)
        for name, value in found.args:
            if name == "metric" and metrics is not None and value not in metrics:
                known = tuple(sorted(metrics))
                assert isinstance(node, ast.Call)
                at = self.module.span(next(a.value for a in node.args if isinstance(a.value, ast.Name | ast.Field)))
                close = near(str(value), known)
                raise self.ctx.refuse(wrong.NoSuchSetting(at, "metric of this learner", str(value), known, close))
        return Stop(found.name, (), found)

    def word(self, node: ast.Expr, name: str, known: tuple[str, ...]) -> str:
        """One of a few words. Raises Refused."""
        found = self.ctx.statics.value(node, self.env)
        if isinstance(found, str) and found in known:
            return found
        sort = "one of " + ", ".join(f'"{word}"' for word in known)
        raise self.ctx.refuse(wrong.BadSetting(self.module.span(node), name, sort, shown(found)))

    def count(self, node: ast.Expr, name: str, least: int) -> int:
        """A whole number. Raises Refused."""
        found = self.ctx.statics.value(node, self.env)
        sort = f"a whole number from {least} on"
        if isinstance(found, Fraction | int) and not isinstance(found, bool) and found == int(found) and found >= least:
            if found <= LARGEST:
                return int(found)
            sort = f"a whole number from {least} to {LARGEST}"
        raise self.ctx.refuse(wrong.BadSetting(self.module.span(node), name, sort, shown(found)))


def ends(diagram: Diagram) -> Object:
    """What a diagram gives."""
    return Object(tuple(diagram.wires[w].type for w in diagram.outputs), diagram.codomain_names)


def joined(first: Object, second: Object) -> Object:
    """Two objects side by side; ports keep no names, for those of the two sides may be the same."""
    leaves = (*first.leaves, *second.leaves)
    return Object(leaves, (None,) * len(leaves))
