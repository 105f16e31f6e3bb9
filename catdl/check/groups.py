"""Declared groups and monoids: their generators read, their relations checked, and how they act on dims.

Takes a file whose dims are known. Guarantees that the generators of a group fit every block of dims on which it acts,
that each can be undone unless it is a monoid's, that the relations hold, and that no other role acts on these dims.

    group D4 on (H, W) where turn ^ 4 == id = (turn = (W, -H), flip = (H, -W))
"""

from __future__ import annotations

from fractions import Fraction
from math import isfinite

from catdl import diagnostics as wrong
from catdl.check.context import Context
from catdl.check.names import mentioned
from catdl.check.program import Load, Program
from catdl.check.scope import BadDef, DimDef, Env, GroupDef, Module
from catdl.check.static import Refused, alike
from catdl.check.values import as_number
from catdl.data.npy import read
from catdl.diagnostics.suggest import near
from catdl.source import Span
from catdl.symmetry import declared
from catdl.symmetry.actions import REGULAR, Act, Declared, Matrix, Move, Place, Sides, Takes
from catdl.syntax import ast
from catdl.types.ragged import ragged_syms
from catdl.types.sizes import Size

GENERATORS = 32
PLACES = 4_096
MATRIX = 64
POWER = 1_000

Blocks = tuple[tuple[DimDef, ...], ...]


def read_groups(program: Program, module: Module, found: list[GroupDef]) -> None:
    """The groups of a file, and the dims that have a place for each element of one."""
    taken: dict[str, Span] = {}
    for group in found:
        try:
            Reader(program.context(program.report), module, group, taken, program.load).read()
        except Refused:
            module.defs[group.name] = BadDef(group.name)
            for name in mentioned(list(group.node.places)):
                if isinstance(dim := module.defs.get(name), DimDef):
                    dim.untold = True
    for dim in list(module.defs.values()):
        if isinstance(dim, DimDef) and dim.other == "regular":
            try:
                regular(program, module, dim)
            except Refused:
                dim.untold = True


def regular(program: Program, module: Module, dim: DimDef) -> None:
    """A dim with a place for each element of a group. Raises Refused."""
    ctx = program.context(program.report)
    role = next(role for role in dim.roles if isinstance(role, ast.Call))
    name = role.args[0].value
    assert isinstance(name, ast.Name)
    group = module.find(name.id)
    if isinstance(group, BadDef):
        raise Refused
    if not isinstance(group, GroupDef):
        raise ctx.refuse(wrong.UnknownName(module.span(name), name.id, "group", alike(name.id, Env(module), GroupDef)))
    assert group.group is not None
    table = declared.table(group.group)
    where = module.span(role)
    if table is None:
        if group.node.keyword == "monoid":
            message = f"`{name.id}` is a monoid: it does not move its elements among themselves"
            raise ctx.refuse(wrong.BadGenerator(where, message, "no group", f"dim {dim.name} = 8 : regular(D4)"))
        raise ctx.refuse(wrong.LimitExceeded(where, f"the number of elements of `{name.id}`", declared.ELEMENTS))
    size = len(table[0])
    if dim.axis.size != size:
        given = str(dim.axis.size) if isinstance(dim.axis.size, int) else None
        raise ctx.refuse(wrong.RoleSize(where, dim.name, where.text, size, given))
    dim.act, dim.other = Act(group.group, place=Place(REGULAR, 0, size)), None


class Reader:
    """One declaration."""

    def __init__(self, ctx: Context, module: Module, found: GroupDef, taken: dict[str, Span], load: Load) -> None:
        self.ctx = ctx
        self.load = load
        self.taken = taken  # where a dim is said to be moved
        self.module = module
        self.found = found
        self.node = found.node
        self.env = Env(module)

    def read(self) -> None:
        """Make the group known, and what it does to dims. Raises Refused."""
        blocks = self.blocks()
        generators = self.generators(blocks)
        for name, move, span in generators:
            self.fits(blocks, move, span)
            if self.node.keyword == "group" and declared.inverse(move) is None:
                raise self.ctx.refuse(wrong.NotUndone(span, self.found.name, name))
        known = {name: move for name, move, _ in generators}
        for fact in self.node.where.facts if self.node.where is not None else ():
            self.relation(fact, known)
        size = blocks[0][0].axis.size
        group = Declared(
            f"{self.module.name}::{self.found.name}", tuple(known.items()), size, self.node.keyword == "group"
        )
        self.found.group = group
        for number, block in enumerate(blocks):
            for k, dim in enumerate(block):
                self.taken[dim.name] = self.name
                dim.act = Act(group, place=Place(number, k, dim.axis.size))

    def bad(self, span: Span, message: str, label: str, example: str) -> Refused:
        return self.ctx.refuse(wrong.BadGenerator(span, message, label, example))

    def blocks(self) -> Blocks:
        """The dims on which it acts. Raises Refused."""
        blocks: list[tuple[DimDef, ...]] = []
        seen: set[str] = set()
        for place in self.node.places:
            names = [item.value for item in place.items] if isinstance(place, ast.Tuple) else [place]
            block = tuple(self.dim(name, seen) for name in names)
            if blocks and len(block) != len(blocks[0]):
                message = f"a group moves as many dims at every place: here {len(block)}, before {len(blocks[0])}"
                raise self.bad(self.module.span(place), message, "of another number", "group D4 on (H, W), (K, L) = …")
            blocks.append(block)
        return tuple(blocks)

    def dim(self, name: ast.Expr, seen: set[str]) -> DimDef:
        """A dim of this file on which nothing acts yet. Raises Refused."""
        span = self.module.span(name)
        if not isinstance(name, ast.Name):
            raise self.bad(span, "a group acts on dims, by their names", "no name of a dim", "group D4 on (H, W) = …")
        found = self.module.find(name.id)
        if isinstance(found, BadDef):
            raise Refused
        if not isinstance(found, DimDef):
            raise self.ctx.refuse(wrong.UnknownName(span, name.id, "dim", alike(name.id, self.env, DimDef)))
        if found.axis.label != f"{self.module.name}::{name.id}":
            message = f"`{name.id}` is declared in another file, and so is all that acts on it"
            raise self.bad(span, message, "not of this file", f"dim {name.id} = …")
        first = self.taken.get(name.id) or (self.name if name.id in seen else None)
        if first is None and (found.act is not None or found.other is not None):
            first = self.module.span(found.roles[0])
        if first is not None:
            raise self.ctx.refuse(wrong.RolesClash(span, name.id, self.found.name, first))
        if ragged_syms(found.axis.size):
            message = f"`{name.id}` has another size in each sample, and a group moves the same places in all"
            raise self.bad(span, message, "a `var` dim", f"dim {name.id} = 8")
        seen.add(name.id)
        return found

    @property
    def name(self) -> Span:
        """Where the name of the group stands."""
        start = self.module.source.text.index(self.node.name, self.node.start + len(self.node.keyword))
        return Span(self.module.source, start, start + len(self.node.name))

    def generators(self, blocks: Blocks) -> list[tuple[str, Move, Span]]:
        """The generators by name, in one form where there is one axis. Raises Refused."""
        value = self.node.value
        items = value.items if isinstance(value, ast.Tuple) else ()
        span = self.module.span(value)
        if isinstance(value, ast.Bad):
            raise Refused
        if (listed := self.listed(value)) is not None:
            return listed
        if not items or any(item.name is None or item.sep != "=" for item in items):
            raise self.bad(span, "a group is told by its generators, each with a name", "no list of these", EXAMPLE)
        if len(items) > GENERATORS:
            raise self.ctx.refuse(wrong.LimitExceeded(span, "the number of generators", GENERATORS))
        found: list[tuple[str, Move, Span]] = []
        for item in items:
            assert item.name is not None
            where = self.module.span(item)
            if any(item.name == name for name, _, _ in found):
                raise self.ctx.refuse(
                    wrong.DuplicateName(where, item.name, next(s for n, _, s in found if n == item.name))
                )
            found.append((item.name, self.move(item.value, blocks), where))
        if len(blocks[0]) == 1 and any(not isinstance(move, Sides) for _, move, _ in found):
            return [(name, self.along(move, blocks[0][0], span), span) for name, move, span in found]
        return found

    def listed(self, value: ast.Expr) -> list[tuple[str, Move, Span]] | None:
        """The matrices of a file, named m0, m1, …; None if none is named. Raises Refused."""
        match value:
            case ast.Call(ast.Name("exp"), (ast.Arg(None, _, ast.Call(ast.Name("matrices"), args)),)):
                flow = True
            case ast.Call(ast.Name("matrices"), args):
                flow = False
            case _:
                return None
        span = self.module.span(value)
        if len(args) != 1 or not isinstance(args[0].value, ast.Text):
            raise self.bad(span, "`matrices` takes the path of a file", "no path", 'matrices("generators.npy")')
        path = args[0].value.value
        try:
            shape, numbers = read(self.load(path, self.module.source))
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            why = why[:1].lower() + why[1:]
            raise self.ctx.refuse(wrong.FileUnreadable(path, why, self.module.span(args[0]))) from None
        if len(shape) != 3 or shape[1] != shape[2] or not shape[0] or not shape[1]:
            message = f"`{path}` holds an array of the shape {shape}, and not one square matrix after the other"
            raise self.bad(span, message, "no list of matrices", "numpy.stack([[[0, -1], [1, 0]]])")
        if shape[0] > GENERATORS:
            raise self.ctx.refuse(wrong.LimitExceeded(span, "the number of generators", GENERATORS))
        if shape[1] > MATRIX:
            raise self.ctx.refuse(wrong.LimitExceeded(span, "the size of a matrix", MATRIX))
        size = shape[1]
        found: list[tuple[str, Move, Span]] = []
        for k in range(shape[0]):
            part = numbers[k * size * size : (k + 1) * size * size]
            rows = tuple(part[i * size : (i + 1) * size] for i in range(size))
            if not all(map(isfinite, part)):
                raise self.bad(span, f"matrix {k} of `{path}` has entries that are no numbers", "not finite", "0.5")
            found.append((f"m{k}", Matrix(rows, True) if flow else _simplest(rows), span))
        return found

    def along(self, move: Move, dim: DimDef, span: Span) -> Move:
        """What turns an axis round, beside what moves its places. Raises Refused."""
        if not isinstance(move, Sides):
            return move
        size = dim.axis.size
        if not isinstance(size, int):
            message = f"`{dim.name}` is free, and another generator moves as many places as there are"
            raise self.bad(span, message, "of a free size", f"dim {dim.name} = 8")
        return Takes(tuple(reversed(range(size))) if move.back[0] else tuple(range(size)))

    def move(self, value: ast.Expr, blocks: Blocks) -> Move:
        """What one generator does. Raises Refused."""
        sides = self.sides(value, blocks)
        if sides is not None:
            return sides
        span = self.module.span(value)
        if len(blocks[0]) > 1:
            names = ", ".join(dim.name for dim in blocks[0])
            message = f"what moves `({names})` says which axis comes in the place of each, with `-` where it is turned"
            raise self.bad(span, message, "not these axes in an order", f"turn = {_turn(blocks[0])}")
        flow = isinstance(value, ast.Call) and isinstance(value.function, ast.Name) and value.function.id == "exp"
        if flow:
            assert isinstance(value, ast.Call)
            if len(value.args) != 1:
                raise self.bad(span, "`exp` takes one matrix", "not one", "spin = exp([[0, -1], [1, 0]])")
            value = value.args[0].value
        given = self.ctx.statics.value(value, self.env)
        made = self.numbers(given, span)
        if flow:
            return Matrix(declared.dense(made), True)
        return made

    def sides(self, value: ast.Expr, blocks: Blocks) -> Sides | None:
        """Axes in an order, some of them turned round; None if this is no list of names. Raises Refused."""
        parts = [item.value for item in value.items] if isinstance(value, ast.Tuple) else [value]
        axes: list[int] = []
        back: list[bool] = []
        names = [dim.name for dim in blocks[0]]
        for part in parts:
            turned = isinstance(part, ast.Negate)
            inner = part.operand if isinstance(part, ast.Negate) else part
            if not isinstance(inner, ast.Name):
                return None
            if inner.id not in names:
                if self.module.find(inner.id) is not None and len(names) == 1:
                    return None
                raise self.ctx.refuse(
                    wrong.UnknownName(self.module.span(inner), inner.id, "axis", near(inner.id, names))
                )
            axes.append(names.index(inner.id))
            back.append(turned)
        if sorted(axes) != list(range(len(names))):
            whole = ", ".join(names)
            span = self.module.span(value)
            message = f"a generator moves `({whole})` to each of these axes once"
            raise self.bad(span, message, "not each of them once", f"turn = {_turn(blocks[0])}")
        return Sides(tuple(axes), tuple(back))

    def numbers(self, given: object, span: Span) -> Move:
        """A list of places, or a square matrix. Raises Refused."""
        example = "turn = [1, 2, 0]`, or a matrix, `turn = [[0, -1], [1, 0]]"
        if not isinstance(given, tuple) or not given:
            raise self.bad(span, "a generator is a list of places or a matrix", "neither of these", example)
        if all(isinstance(item, tuple) for item in given):
            rows = [[as_number(number) for number in row] for row in given if isinstance(row, tuple)]
            if len(rows) > MATRIX:
                raise self.ctx.refuse(wrong.LimitExceeded(span, "the size of a matrix", MATRIX))
            if any(len(row) != len(rows) for row in rows):
                raise self.bad(span, "the matrix of a generator is square", "not square", "turn = [[0, -1], [1, 0]]")
            if not all(isinstance(n, (int, float, Fraction)) and not isinstance(n, bool) for row in rows for n in row):
                raise self.bad(span, "the matrix of a generator is made of numbers", "not of numbers", example)
            return _simplest(tuple(tuple(float(n) for n in row) for row in rows))
        places = tuple(as_number(item) for item in given)
        if len(places) > PLACES:
            raise self.ctx.refuse(wrong.LimitExceeded(span, "the number of places", PLACES))
        if not all(isinstance(p, int) and not isinstance(p, bool) and 0 <= p < len(places) for p in places):
            message = f"a list of {len(places)} places counts them from 0 to {len(places) - 1}"
            raise self.bad(span, message, "not such a list", "turn = [1, 2, 0]")
        return Takes(places)

    def fits(self, blocks: Blocks, move: Move, span: Span) -> None:
        """Whether every block has axes of the right sizes. Raises Refused."""
        for block in blocks:
            if len(block) > 1 and not isinstance(move, Sides):
                names = ", ".join(dim.name for dim in block)
                message = f"matrices multiply one axis, and here are several, `({names})`"
                raise self.bad(span, message, "of one axis", f"group {self.found.name} on {block[0].name} = …")
            if isinstance(move, Sides):
                for k, axis in enumerate(move.axes):
                    one, other = block[k], block[axis]
                    if one.axis.size != other.axis.size:
                        sizes = f"`{one.name}` is {_shown(one)}, `{other.name}` is {_shown(other)}"
                        message = f"axes that change places have the same size, and {sizes}"
                        raise self.bad(span, message, "of two sizes", f"dim {other.name} = {one.name}")
                continue
            size: Size = len(declared.dense(move)) if isinstance(move, Matrix) else len(move.places)
            if block[0].axis.size != size:
                name = block[0].name
                message = f"`{name}` is {_shown(block[0])}, and this moves {size} places"
                raise self.bad(span, message, "of another size", f"dim {name} = {size}")

    def relation(self, fact: ast.Fact, known: dict[str, Move]) -> None:
        """An equation between products of generators. Raises Refused."""
        span = self.module.span(fact)
        if fact.op != "==":
            raise self.bad(span, "a relation of a group is an equation", "no equation", "where turn ^ 4 == id")
        left, right = (self.product(side, known) for side in (fact.left, fact.right))
        if not declared.alike(left, right):
            raise self.ctx.refuse(wrong.RelationBroken(span, span.text, self.found.name, self.order(fact, known)))

    def order(self, fact: ast.Fact, known: dict[str, Move]) -> str:
        """The power of a generator that does come back to the start, where a relation speaks of one."""
        match fact.left:
            case ast.Power(ast.Name(name)) if name in known:
                move = start = known[name]
                for power in range(1, 100):
                    if declared.alike(move, declared.identity(move)):
                        return f"{name} ^ {power} == id"
                    move = declared.product(move, start)
        return ""

    def product(self, node: ast.Expr, known: dict[str, Move]) -> Move:
        """A product of generators. Raises Refused."""
        span = self.module.span(node)
        match node:
            case ast.Name("id"):
                return declared.identity(next(iter(known.values())))
            case ast.Name(name):
                if name not in known:
                    raise self.ctx.refuse(wrong.UnknownName(span, name, "generator", near(name, known)))
                move = known[name]
                if isinstance(move, Matrix) and move.flow:
                    message = f"`{name}` stands for all its multiples, of which no one relation tells"
                    raise self.bad(span, message, "an infinitesimal one", "where turn ^ 4 == id")
                return move
            case ast.Chain(operands, operators) if set(operators) == {"*"}:
                made = self.product(operands[0], known)
                for operand in operands[1:]:
                    made = declared.product(made, self.product(operand, known))
                return made
            case ast.Tuple(items) if len(items) == 1:
                return self.product(items[0].value, known)
            case ast.Power(base, exponent):
                power = as_number(self.ctx.statics.value(exponent, self.env))
                if isinstance(power, bool) or not isinstance(power, int) or abs(power) > POWER:
                    raise self.bad(span, "a power of a generator is a whole number", "no such power", "turn ^ 4")
                move = self.product(base, known)
                undone = declared.inverse(move) if power < 0 else move
                if undone is None:
                    raise self.bad(span, f"nothing undoes `{span.text}`", "not undone", "turn ^ 4")
                made = declared.identity(move)
                for _ in range(abs(power)):
                    made = declared.product(made, undone)
                return made
            case _:
                message = "a relation is made of generators, `*`, `^` and `id`"
                raise self.bad(span, message, "none of these", "where turn ^ 4 == id, (turn * flip) ^ 2 == id")


EXAMPLE = "group D4 on (H, W) = (turn = (W, -H), flip = (H, -W))"


def _turn(block: tuple[DimDef, ...]) -> str:
    names = [dim.name for dim in block]
    return f"({', '.join([*names[1:], f'-{names[0]}'])})"


def _shown(dim: DimDef) -> str:
    return str(dim.axis.size) if isinstance(dim.axis.size, int) else "free"


def _simplest(rows: declared.Rows) -> Move:
    """A matrix that only moves places, as these: more is known to go with it."""
    places = [row.index(1.0) if row.count(1.0) == 1 and row.count(0.0) == len(row) - 1 else -1 for row in rows]
    return Takes(tuple(places)) if sorted(places) == list(range(len(rows))) else Matrix(rows)
