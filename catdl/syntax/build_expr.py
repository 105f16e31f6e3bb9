"""The actions that make expressions, statements and types.

Takes, for each production that the parser completes, the values of its symbols (a token is its index) and the indices
of its first and last token; guarantees AST nodes whose spans are those of their tokens. Mistakes that the grammar
cannot see, such as `x + y >> f`, are reported here.

    run_two([x, plus, y], first, last)       # a run, which `chain` turns into Chain((x, y), ("+",))
"""

from __future__ import annotations

import re
from bisect import bisect_left
from fractions import Fraction
from typing import Any, TypeAlias

from catdl.diagnostics.base import Diagnostic
from catdl.source import Source, Span
from catdl.syntax import ast
from catdl.syntax.layout import Stream

Values: TypeAlias = list[Any]

DIGIT_LIMIT = 300
"""How many digits a number may have, written out."""

_ESCAPES = {'"': '"', "\\": "\\", "n": "\n", "t": "\t"}
_ARITHMETIC = frozenset("+-*/") | {"//"}
_SIGNS = {"⊗": "@", "→": "->", "↝": "~>"}


class _Steps:
    """Steps collected before a `>>`; `after` is the index of the token that follows it."""

    __slots__ = ("after", "steps")

    def __init__(self, step: ast.Expr, after: int) -> None:
        self.steps = [step]
        self.after = after


class _Run:
    """Operands and the operators between them."""

    __slots__ = ("operands", "operators")

    def __init__(self, operands: list[ast.Expr], operators: list[str]) -> None:
        self.operands = operands
        self.operators = operators


class _Items:
    """The items of a bracket, and whether a comma follows the last."""

    __slots__ = ("comma", "items")

    def __init__(self, items: list[ast.Arg], comma: bool) -> None:
        self.items = items
        self.comma = comma


class ExprBuilder:
    """Actions by the names that the grammar gives them; `found` collects what is wrong."""

    def __init__(self, source: Source, stream: Stream, found: list[Diagnostic]) -> None:
        self.source = source
        self.text = source.text
        self.kinds = stream.kinds
        self.starts = stream.starts
        self.ends = stream.ends
        self.damage = stream.damage
        self.found = found
        self.loose: ast.Labelled | None = None  # the last labelled step whose body is bare arithmetic
        self.paths: dict[int, tuple[Span, bool]] = {}  # what only a plug's item may begin with, and is it a pattern

    def word(self, index: int) -> str:
        """What a token is written as."""
        return self.text[self.starts[index] : self.ends[index]]

    def sign(self, index: int) -> str:
        """What an operator is written as, in ASCII."""
        word = self.word(index)
        return _SIGNS.get(word, word)

    def span(self, start: int, end: int) -> Span:
        return Span(self.source, start, end)

    def finish(self) -> None:
        """Report what only the end of a declaration shows: paths and their patterns outside the items of a plug."""
        if self.paths:
            from catdl.diagnostics import syntax_errors as wrong

            for span, starred in self.paths.values():
                self.found.append(wrong.PatternOfPaths(span) if starred else wrong.BadStepName(span))
            self.paths.clear()

    # lists

    def list_one(self, values: Values, first: int, last: int) -> list[Any]:
        return [values[0]]

    def list_two(self, values: Values, first: int, last: int) -> list[Any]:
        return [values[0], values[2]]

    def list_more(self, values: Values, first: int, last: int) -> list[Any]:
        items: list[Any] = values[0]
        items.append(values[2])
        return items

    def list_add(self, values: Values, first: int, last: int) -> list[Any]:
        items: list[Any] = values[0]
        items.append(values[1])
        return items

    def items_plain(self, values: Values, first: int, last: int) -> _Items:
        return _Items(values[0], False)

    def items_comma(self, values: Values, first: int, last: int) -> _Items:
        return _Items(values[0], True)

    def run_two(self, values: Values, first: int, last: int) -> _Run:
        return _Run([values[0], values[2]], [self.sign(values[1])])

    def run_more(self, values: Values, first: int, last: int) -> _Run:
        run: _Run = values[0]
        run.operands.append(values[2])
        run.operators.append(self.sign(values[1]))
        return run

    # atoms

    def name(self, values: Values, first: int, last: int) -> ast.Name | ast.Bad:
        start, end = self.starts[first], self.ends[first]
        text = self.text[start:end]
        return ast.Name(text, start, end) if text.isascii() else ast.Bad(start, end)  # told where it was read

    def number(self, values: Values, first: int, last: int) -> ast.Number:
        start, end = self.starts[first], self.ends[first]
        text = self.text[start:end]
        if text.isdigit() and len(text) <= DIGIT_LIMIT:
            return ast.Number(int(text), text, start, end)
        mantissa, _, exponent = text.lower().partition("e")
        digits = exponent.lstrip("+-").lstrip("0")
        if len(digits) > 4 or len(mantissa) + int(digits or 0) > DIGIT_LIMIT:
            from catdl.diagnostics import syntax_errors as wrong

            self.found.append(wrong.NumberTooLong(self.span(start, end), DIGIT_LIMIT))
            return ast.Number(1, "1", start, end)
        return ast.Number(Fraction(text), text, start, end)

    def string(self, values: Values, first: int, last: int) -> ast.Text | ast.Bad:
        start, end = self.starts[first], self.ends[first]
        body = self.text[start + 1 : end - 1]
        unread = bisect_left(self.damage, start)
        if unread < len(self.damage) and self.damage[unread] == start:  # told where it was read: it is not closed
            return ast.Bad(start, end)
        if "\\" not in body:
            return ast.Text(body, start, end)

        def escape(match: re.Match[str]) -> str:
            if match[1] not in _ESCAPES:
                from catdl.diagnostics import syntax_errors as wrong

                place = start + 1 + match.start()
                self.found.append(wrong.UnknownEscape(self.span(place, place + len(match[0]))))
            return _ESCAPES.get(match[1], match[0])

        return ast.Text(re.sub(r"\\(.?)", escape, body), start, end)

    def unit(self, values: Values, first: int, last: int) -> ast.Tuple:
        return ast.Tuple((), self.starts[first], self.ends[last])

    def group(self, values: Values, first: int, last: int) -> ast.Expr:
        items: _Items = values[1]
        if len(items.items) == 1 and not items.comma and not items.items[0].sep:
            return items.items[0].value
        return ast.Tuple(self._labels(items), self.starts[first], self.ends[last])

    def list_empty(self, values: Values, first: int, last: int) -> ast.List:
        return ast.List((), self.starts[first], self.ends[last])

    def copair(self, values: Values, first: int, last: int) -> ast.Copair:
        return ast.Copair(tuple(values[1]), self.starts[first], self.ends[last])

    def list_(self, values: Values, first: int, last: int) -> ast.List:
        return ast.List(tuple(values[1]), self.starts[first], self.ends[last])

    def index_comprehension(self, values: Values, first: int, last: int) -> ast.Index:
        target = self.pattern(values[4], "after `for`")
        loop = ast.Comprehension(values[2], target, values[6], values[2].start, values[6].end)
        arg = ast.Arg(None, "", loop, loop.start, loop.end)
        return ast.Index(values[0], (arg,), self.starts[first], self.ends[last])

    def comprehension(self, values: Values, first: int, last: int) -> ast.Comprehension:
        target = self.pattern(values[3], "after `for`")
        return ast.Comprehension(values[1], target, values[5], self.starts[first], self.ends[last])

    def splice(self, values: Values, first: int, last: int) -> ast.Splice:
        name = self.word(values[1]) if len(values) > 1 else None
        return ast.Splice(name, self.starts[first], self.ends[last])

    # items of brackets

    def item(self, values: Values, first: int, last: int) -> ast.Arg:
        return ast.Arg(None, "", values[0], self.starts[first], self.ends[last])

    def named_item(self, values: Values, first: int, last: int) -> ast.Arg:
        start, end = self.starts[first], self.ends[last]
        left = values[0]
        path = dotted(left) if left.start == start else None
        if path is None:
            from catdl.diagnostics import syntax_errors as wrong

            if not isinstance(left, ast.Bad):
                self.found.append(wrong.BadArgumentName(self.span(left.start, left.end)))
            return ast.Arg(None, "", ast.Bad(start, end), start, end)
        return ast.Arg(path, "=", values[2], start, end)

    def arrow_item(self, values: Values, first: int, last: int) -> ast.Arg:
        arrow = self.arrow(values, first, last)
        return ast.Arg(None, "", arrow, arrow.start, arrow.end)

    def merged_two(self, values: Values, first: int, last: int) -> list[int]:
        return [values[0], values[1]]

    def merged_axis(self, values: Values, first: int, last: int) -> ast.Arg:
        start, end = self.starts[first], self.ends[last]
        names = [self.name([], index, index) for index in values[1]]
        items = tuple(ast.Arg(None, "", name, name.start, name.end) for name in names)
        return ast.Arg(None, "", ast.Tuple(items, start, end), start, end)

    def segment(self, values: Values, first: int, last: int) -> str:
        if len(values) == 1:
            return self.word(values[0])
        return f"{{{values[1]}}}"

    def names(self, values: Values, first: int, last: int) -> str:
        return self.word(values[0]) if len(values) == 1 else f"{values[0]},{self.word(values[2])}"

    def glob_one(self, values: Values, first: int, last: int) -> str:
        return self.word(values[0])

    def glob_names(self, values: Values, first: int, last: int) -> str:
        return f"{{{values[1]}}}"

    def glob_more(self, values: Values, first: int, last: int) -> str:
        return f"{values[0]}.{values[2]}"

    def glob_item(self, values: Values, first: int, last: int) -> ast.Arg:
        return ast.Arg(values[0], self.word(values[1]), values[2], self.starts[first], self.ends[last])

    def _labels(self, items: _Items) -> tuple[ast.Arg, ...]:
        """The items, those that are `name: e` as labelled arguments."""
        return tuple([self._label(item) for item in items.items])

    def _label(self, item: ast.Arg) -> ast.Arg:
        value = item.value
        if item.sep or type(value) is not ast.Labelled or value.start != item.start:
            return item
        return ast.Arg(value.name, ":", value.body, item.start, item.end)

    def _plugged(self, item: ast.Arg) -> ast.Arg:
        """An item of a plug, where what stands before `:` is a path: it is for all that follows, not for one step."""
        whole: list[ast.Seq | ast.Fan] = []
        value = item.value
        while type(value) in (ast.Seq, ast.Fan) and value.start == item.start:
            assert isinstance(value, ast.Seq | ast.Fan)
            whole.append(value)
            value = value.steps[0] if isinstance(value, ast.Seq) else value.legs[0]
        if item.sep or type(value) is not ast.Labelled or value.start != item.start:
            return item
        body = value.body
        for node in reversed(whole):
            if isinstance(node, ast.Seq):
                body = ast.Seq((body, *node.steps[1:]), body.start, node.end)
            else:
                body = ast.Fan((body, *node.legs[1:]), body.start, node.end)
        return ast.Arg(value.name, ":", body, item.start, item.end)

    # postfix

    def call_empty(self, values: Values, first: int, last: int) -> ast.Call:
        return ast.Call(values[0], (), self.starts[first], self.ends[last])

    def call(self, values: Values, first: int, last: int) -> ast.Call:
        return ast.Call(values[0], tuple(values[2].items), self.starts[first], self.ends[last])

    def index_empty(self, values: Values, first: int, last: int) -> ast.Index:
        return ast.Index(values[0], (), self.starts[first], self.ends[last])

    def index(self, values: Values, first: int, last: int) -> ast.Index:
        return ast.Index(values[0], self._labels(values[2]), self.starts[first], self.ends[last])

    def plug_empty(self, values: Values, first: int, last: int) -> ast.Plug:
        return ast.Plug(values[0], (), self.starts[first], self.ends[last])

    def plug(self, values: Values, first: int, last: int) -> ast.Plug:
        items = tuple([self._plugged(item) for item in values[2].items])
        if self.paths:
            for item in items:
                if item.name:
                    self.paths.pop(item.start, None)
        return ast.Plug(values[0], items, self.starts[first], self.ends[last])

    def field(self, values: Values, first: int, last: int) -> ast.Field:
        if self.kinds[last] != "NAME":
            self.paths[self.starts[first]] = self.span(self.starts[first], self.ends[last]), True
        return ast.Field(values[0], values[2], self.starts[first], self.ends[last])

    # operators

    def power(self, values: Values, first: int, last: int) -> ast.Power:
        return ast.Power(values[0], values[2], self.starts[first], self.ends[last])

    def negate(self, values: Values, first: int, last: int) -> ast.Negate:
        return ast.Negate(values[1], self.starts[first], self.ends[last])

    def tie(self, values: Values, first: int, last: int) -> ast.Tie:
        return ast.Tie(self.word(values[0]), values[1], self.starts[first], self.ends[last])

    def as_(self, values: Values, first: int, last: int) -> ast.Call:
        start, end = self.starts[first], self.ends[first]
        kind = values[1]
        arg = ast.Arg(None, "", kind, kind.start, kind.end)
        return ast.Call(ast.Name("as", start, end), (arg,), start, self.ends[last])

    def chain(self, values: Values, first: int, last: int) -> ast.Chain:
        run: _Run = values[0]
        return ast.Chain(tuple(run.operands), tuple(run.operators), self.starts[first], self.ends[last])

    def tensor(self, values: Values, first: int, last: int) -> ast.Tensor:
        return ast.Tensor(tuple(values[0].operands), self.starts[first], self.ends[last])

    def fan(self, values: Values, first: int, last: int) -> ast.Fan:
        return ast.Fan(tuple(values[0].operands), self.starts[first], self.ends[last])

    def arrow(self, values: Values, first: int, last: int) -> ast.Arrow:
        random = self.kinds[values[1]] == "RANDOM"
        return ast.Arrow(values[0], values[2], random, self.starts[first], self.ends[last])

    # steps

    def lead_one(self, values: Values, first: int, last: int) -> _Steps:
        step = values[0]
        if type(step) in _MAY_BE_LOOSE:
            self._check_loose(step, first)
        return _Steps(step, last + 1)

    def lead_more(self, values: Values, first: int, last: int) -> _Steps:
        lead: _Steps = values[0]
        step = values[1]
        if type(step) in _MAY_BE_LOOSE:
            self._check_loose(step, lead.after)
        lead.steps.append(step)
        lead.after = last + 1
        return lead

    def _check_loose(self, step: ast.Chain | ast.Labelled, first: int) -> None:
        """Refuse bare arithmetic before `>>`; in parentheses it starts after its first token."""
        if type(step) is ast.Labelled:
            chain = step.body if step is self.loose else None
        else:
            chain = step if step.start == self.starts[first] else None
        if type(chain) is ast.Chain and chain.operators[0] in _ARITHMETIC:
            from catdl.diagnostics import syntax_errors as wrong

            self.found.append(wrong.LooseArithmetic(self.span(chain.start, chain.end), chain.operators[0]))

    def seq(self, values: Values, first: int, last: int) -> ast.Seq:
        lead: _Steps = values[0]
        lead.steps.append(values[1])
        return ast.Seq(tuple(lead.steps), self.starts[first], self.ends[last])

    def labelled(self, values: Values, first: int, last: int) -> ast.Labelled:
        label, body = values[0], values[2]
        start, end = self.starts[first], self.ends[last]
        name = dotted(label) if label.start == start else None
        if (type(label) is not ast.Name or name is None) and type(label) is not ast.Bad:
            self.paths.setdefault(start, (self.span(label.start, label.end), False))
        node = ast.Labelled(name or "", body, start, end)
        if type(body) is ast.Chain and body.start == self.starts[values[1] + 1]:
            self.loose = node
        return node

    def seq_labelled(self, values: Values, first: int, last: int) -> ast.Seq:
        lead: _Steps = values[0]
        step = self.labelled(values[1:], lead.after, last)
        return self.seq([lead, step], first, last)

    def if_(self, values: Values, first: int, last: int) -> ast.If:
        return ast.If(values[1], values[3], values[5], self.starts[first], self.ends[last])

    def lambda_(self, values: Values, first: int, last: int) -> ast.Expr:
        """A lambda; in `f >> g: x => e` the pattern is the body of the last step, for `=>` binds loosest."""
        left, body = values[0], values[2]
        start, end = self.starts[first], self.ends[last]
        bare = left.start == start
        if bare and type(left) is ast.Seq:
            step = left.steps[-1]
            inner = self._label_lambda(step, body, end)
            return ast.Seq((*left.steps[:-1], inner), start, end)
        if bare and type(left) is ast.Labelled:
            return self._label_lambda(left, body, end)
        return ast.Lambda(self.pattern(left, "before `=>`"), body, start, end)

    def _label_lambda(self, step: ast.Expr, body: ast.Expr, end: int) -> ast.Expr:
        if type(step) is ast.Labelled:
            pattern = self.pattern(step.body, "before `=>`")
            return ast.Labelled(step.name, ast.Lambda(pattern, body, pattern.start, end), step.start, end)
        from catdl.diagnostics import syntax_errors as wrong

        self.found.append(wrong.LambdaInside(self.span(step.start, end)))
        return ast.Bad(step.start, end)

    # statements

    def targets(self, values: Values, first: int, last: int) -> ast.Expr:
        parts: list[ast.Expr] = values[0]
        if len(parts) == 1:
            return self.pattern(parts[0], "before `=`")
        items = tuple(ast.Arg(None, "", part, part.start, part.end) for part in parts)
        return self.pattern(ast.Tuple(items, self.starts[first], self.ends[last]), "before `=`")

    def bind(self, values: Values, first: int, last: int) -> ast.Bind:
        return ast.Bind(values[0], values[2], self.starts[first], self.ends[last])

    def draw(self, values: Values, first: int, last: int) -> ast.Bind:
        targets, sign, law = values
        start, end = self.starts[sign], self.ends[sign]
        value = ast.Call(ast.Name(ast.DRAW, start, end), (ast.Arg(None, "", law, law.start, law.end),), start, law.end)
        return ast.Bind(targets, value, self.starts[first], self.ends[last], True)

    def box(self, values: Values, first: int, last: int) -> ast.Box:
        tie = None if values[1] is None else self.word(values[1])
        return ast.Box(self.word(values[2]), tie, values[4], self.starts[first], self.ends[last])

    def emit(self, values: Values, first: int, last: int) -> ast.Emit:
        return ast.Emit(self.word(values[1]), values[3], self.starts[first], self.ends[last])

    def local_param(self, values: Values, first: int, last: int) -> ast.LocalParam:
        _, name, _, type_, _, init, _, condition = values
        return ast.LocalParam(self.word(name), type_, init, condition, False, self.starts[first], self.ends[last])

    def state(self, values: Values, first: int, last: int) -> ast.LocalParam:
        _, name, _, type_, _, init = values
        return ast.LocalParam(self.word(name), type_, init, None, True, self.starts[first], self.ends[last])

    def store(self, values: Values, first: int, last: int) -> ast.Store:
        return ast.Store(self.word(values[0]), values[2], self.starts[first], self.ends[last])

    def block(self, values: Values, first: int, last: int) -> ast.Block:
        *statements, result = values[1]
        if isinstance(result, ast.Bind | ast.Box | ast.Emit | ast.LocalParam | ast.Store):
            if not isinstance(result, ast.Bind) or not isinstance(result.value, ast.Bad):
                from catdl.diagnostics import syntax_errors as wrong

                self.found.append(wrong.BlockWithoutValue(self.span(result.start, result.end)))
            statements.append(result)
            result = ast.Bad(result.end, result.end)
        return ast.Block(tuple(statements), result, self.starts[first], self.ends[last])

    def pattern(self, expr: ast.Expr, place: str) -> ast.Expr:
        """The expression if it is a pattern; else it is reported and left out."""
        pending = [expr]
        while pending:
            part = pending.pop()
            if type(part) is ast.Tuple and not any(item.sep for item in part.items):
                pending += [item.value for item in part.items]
            elif type(part) is not ast.Name and type(part) is not ast.Bad:
                from catdl.diagnostics import syntax_errors as wrong

                self.found.append(wrong.NotAPattern(self.span(part.start, part.end), place))
                return ast.Bad(expr.start, expr.end)
        return expr


_MAY_BE_LOOSE = frozenset({ast.Chain, ast.Labelled})


def dotted(expr: ast.Expr) -> str | None:
    """The path that an expression is: `a.b.*`; None if it is something else."""
    names: list[str] = []
    while type(expr) is ast.Field:
        names.append(expr.name)
        expr = expr.base
    if type(expr) is ast.Number:
        return ".".join([expr.text, *reversed(names)])  # the path of a round: `0.linear.weight`
    if type(expr) is not ast.Name:
        return None
    return ".".join([expr.id, *reversed(names)])
