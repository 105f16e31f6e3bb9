"""The actions that make declarations.

Takes what `build_expr` makes; guarantees that every declaration has the span from its first word to its last token
and carries the `## ` lines right above it as its `doc`.

    dims_decl([dim, [one, two]], first, last)        # [Dim, Dim]: a list of dims is several declarations
"""

from __future__ import annotations

import re

from catdl.record import replace
from catdl.syntax import ast
from catdl.syntax.build_expr import ExprBuilder, Values, _Items

_DOC_LINE = re.compile(r"[ \t\f]*##(?:[ \t](.*)|)")


class Builder(ExprBuilder):
    """All the actions of the grammar."""

    def doc(self, start: int) -> str:
        """The run of `## ` lines right above the line on which a declaration starts."""
        lines: list[str] = []
        end = self.text.rfind("\n", 0, start)
        while end > 0:
            begin = self.text.rfind("\n", 0, end) + 1
            match = _DOC_LINE.fullmatch(self.text[begin:end].rstrip())
            if match is None:
                break
            lines.append(match[1] or "")
            end = begin - 1
        return "\n".join(reversed(lines))

    # dim, where, kind

    def dims_decl(self, values: Values, first: int, last: int) -> list[ast.Dim]:
        doc = self.doc(self.starts[first])
        dims: list[ast.Dim] = values[1]
        return [replace(dim, doc=doc) for dim in dims] if doc else dims

    def dim(self, values: Values, first: int, last: int) -> ast.Dim:
        name, _, size, _, roles = values
        return ast.Dim(self.word(name), size, tuple(roles or ()), self.starts[first], self.ends[last])

    def role_call(self, values: Values, first: int, last: int) -> ast.Call:
        name = self.name([], first, first)
        return ast.Call(name, tuple(values[2].items), self.starts[first], self.ends[last])

    def where_decl(self, values: Values, first: int, last: int) -> list[ast.Where]:
        return [self.where(values, first, last)]

    def where(self, values: Values, first: int, last: int) -> ast.Where:
        return ast.Where(tuple(values[1]), self.starts[first], self.ends[last])

    def fact(self, values: Values, first: int, last: int) -> ast.Fact:
        return ast.Fact(values[0], self.word(values[1]), values[2], self.starts[first], self.ends[last])

    def kind_decl(self, values: Values, first: int, last: int) -> list[ast.Kind]:
        _, name, _, axis, _, of, element, _, access, base = values
        start = self.starts[first]
        self.one_of(of, ("of",))
        self.one_of(access, ("free", "earned"))
        return [
            ast.Kind(
                self.word(name),
                None if axis is None else self.word(axis),
                None if element is None else self.word(element),
                "" if access is None else self.word(access),
                None if base is None else self.word(base),
                start,
                self.ends[last],
                self.doc(start),
            )
        ]

    def one_of(self, place: int | None, words: tuple[str, ...]) -> None:
        """A word that is no keyword, where one of a few belongs."""
        if place is not None and self.word(place) not in words:
            from catdl.diagnostics import syntax_errors as wrong
            from catdl.diagnostics.suggest import near

            found = self.word(place)
            span = self.span(self.starts[place], self.ends[place])
            self.found.append(wrong.WrongWord(span, found, words, near(found, words, 1, share=2)))

    # object, functor, param, group

    def object_decl(self, values: Values, first: int, last: int) -> list[ast.Object]:
        start = self.starts[first]
        _, name, binders, _, value = values
        return [ast.Object(self.word(name), value, start, self.ends[last], self.doc(start), binders or ())]

    def functor_decl(self, values: Values, first: int, last: int) -> list[ast.Functor]:
        start = self.starts[first]
        _, name, binders, _, variable, _, _, value = values
        return [
            ast.Functor(
                self.word(name), binders or (), self.word(variable), value, start, self.ends[last], self.doc(start)
            )
        ]

    def param_decl(self, values: Values, first: int, last: int) -> list[ast.Param]:
        start = self.starts[first]
        _, name, _, type_, _, init = values
        return [ast.Param(self.word(name), type_, init, start, self.ends[last], self.doc(start))]

    def group_decl(self, values: Values, first: int, last: int) -> list[ast.Group]:
        start = self.starts[first]
        word, name, on, places, where, _, value = values
        self.one_of(on, ("on",))
        return [
            ast.Group(
                self.word(name), self.word(word), tuple(places), where, value, start, self.ends[last], self.doc(start)
            )
        ]

    # morphism, hom, extern morphism

    def morphism_decl(self, values: Values, first: int, last: int) -> list[ast.Morphism]:
        (keyword, modifiers), name, binders, params, _, signature, where, _, body = values
        start = self.starts[first]
        return [
            ast.Morphism(
                self.word(name),
                keyword,
                modifiers,
                binders or (),
                params,
                signature,
                where,
                body,
                self.starts[name],
                self.ends[name],
                start,
                self.ends[last],
                self.doc(start),
            )
        ]

    def law_decl(self, values: Values, first: int, last: int) -> list[ast.Morphism]:
        _, name, binders, params, _, body = values
        return [self.law(name, binders, params, None, None, body, first, last)]

    def signed_law_decl(self, values: Values, first: int, last: int) -> list[ast.Morphism]:
        _, name, binders, params, _, signature, where, _, body = values
        return [self.law(name, binders, params, signature, where, body, first, last)]

    def law(
        self,
        name: int,
        binders: tuple[ast.Binder, ...] | None,
        params: tuple[ast.StaticParam, ...] | None,
        signature: ast.Expr | None,
        where: ast.Where | None,
        body: ast.Expr,
        first: int,
        last: int,
    ) -> ast.Morphism:
        """An equation: a morphism's head, with `left == right` for its body."""
        start = self.starts[first]
        return ast.Morphism(
            self.word(name),
            "law",
            (),
            binders or (),
            params,
            signature,
            where,
            body,
            self.starts[name],
            self.ends[name],
            start,
            self.ends[last],
            self.doc(start),
        )

    def head(self, values: Values, first: int, last: int) -> tuple[str, tuple[str, ...]]:
        """The keyword of a morphism and the modifiers before it."""
        modifiers = values[0] if type(values[0]) is list else []
        keyword = "extern" if self.kinds[first] == "EXTERN" else self.word(last)
        return keyword, tuple(self.word(index) for index in modifiers)

    def binders(self, values: Values, first: int, last: int) -> tuple[ast.Binder, ...]:
        return tuple(values[1])

    def binder(self, values: Values, first: int, last: int) -> ast.Binder:
        sort = None if values[2] is None else self.word(values[2])
        return ast.Binder(self.word(values[0]), False, sort, self.starts[first], self.ends[last])

    def row_binder(self, values: Values, first: int, last: int) -> ast.Binder:
        return ast.Binder(self.word(values[1]), True, None, self.starts[first], self.ends[last])

    def no_params(self, values: Values, first: int, last: int) -> tuple[ast.StaticParam, ...]:
        return ()

    def some_params(self, values: Values, first: int, last: int) -> tuple[ast.StaticParam, ...]:
        return tuple(values[1])

    def static_param(self, values: Values, first: int, last: int) -> ast.StaticParam:
        tie, name, _, sort, _, default = values
        word = None if tie is None else self.word(tie)
        return ast.StaticParam(self.word(name), None, word, sort, default, self.starts[first], self.ends[last])

    def literal_param(self, values: Values, first: int, last: int) -> ast.StaticParam:
        literal = self.number([], first, first) if self.kinds[first] == "NUMBER" else self.string([], first, first)
        return ast.StaticParam(None, literal, None, None, None, literal.start, literal.end)

    def negative_param(self, values: Values, first: int, last: int) -> ast.StaticParam:
        start, end = self.starts[first], self.ends[last]
        literal = ast.Negate(self.number([], last, last), start, end)
        return ast.StaticParam(None, literal, None, None, None, start, end)

    # overload, import

    def overload_decl(self, values: Values, first: int, last: int) -> list[ast.Overload]:
        _, name, _, items, _, _, domain, _, codomain, message = values
        args: tuple[ast.Arg, ...] = tuple(items.items) if isinstance(items, _Items) else ()
        never = type(codomain) is ast.Name and codomain.id == "never"
        said = None if message is None else self.string([], message, message)
        text = said.value if type(said) is ast.Text else ""
        return [
            ast.Overload(
                self.word(name), args, domain, None if never else codomain, text, self.starts[first], self.ends[last]
            )
        ]

    def overload_to(self, values: Values, first: int, last: int) -> list[ast.Overload]:
        _, name, _, domain, _, target = values
        to = ast.Name(self.word(target), self.starts[target], self.ends[target])
        return [ast.Overload(self.word(name), (), domain, None, "", self.starts[first], self.ends[last], to)]

    def learner_decl(self, values: Values, first: int, last: int) -> list[ast.Learner]:
        _, name, _, fields, _ = values
        start = self.starts[first]
        return [
            ast.Learner(
                self.word(name),
                tuple(field for field in fields if isinstance(field, ast.Bind | ast.Store)),  # others are told
                self.starts[name],
                self.ends[name],
                start,
                self.ends[last],
                self.doc(start),
            )
        ]

    def entry(self, values: Values, first: int, last: int) -> ast.Bind:
        return ast.Bind(self.name([], first, first), values[2], self.starts[first], self.ends[last])

    def entry_of_several(self, values: Values, first: int, last: int) -> ast.Bind:
        legs = tuple(values[2])
        several = ast.Copair(legs, legs[0].start, legs[-1].end)
        return ast.Bind(self.name([], first, first), several, self.starts[first], self.ends[last])

    def import_decl(self, values: Values, first: int, last: int) -> list[ast.Import]:
        begin, end = values[1]
        module = re.sub(r"\s+|#[^\r\n]*", "", self.text[begin:end])
        return [ast.Import(module, tuple(values[3]), begin, end, self.starts[first], self.ends[last])]

    def module(self, values: Values, first: int, last: int) -> tuple[int, int]:
        return self.starts[first], self.ends[last]

    def import_name(self, values: Values, first: int, last: int) -> ast.ImportName:
        name, _, alias = values
        word = self.word(name)
        return ast.ImportName(word, word if alias is None else self.word(alias), self.starts[first], self.ends[last])
