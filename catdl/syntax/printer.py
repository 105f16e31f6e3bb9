"""The printer: tree to text.

Takes any node that the parser can make; guarantees text that parses to the same tree, up to spans, with parentheses
only where they are needed. There is no recursion: nodes wait on a stack among the texts that part them.

    show(Seq((f, Chain((x, y), ("+",)))))          # "f >> x + y"
    show(Seq((Chain((x, y), ("+",)), f)))          # "(x + y) >> f"
"""

from __future__ import annotations

from catdl.syntax import ast
from catdl.syntax.print_decl import decl_parts
from catdl.syntax.print_parts import Level, Parts, Work, parts

_WIDTH = 110
_DECLS = (
    *(ast.Dim, ast.Where, ast.Kind, ast.Object, ast.Functor, ast.Param, ast.Group, ast.Morphism),
    *(ast.Overload, ast.Learner, ast.Import),
)


def show(node: ast.Module | ast.Decl | ast.Expr | ast.Statement) -> str:
    """The text of a module, a declaration, a statement or an expression."""
    if isinstance(node, ast.Module):
        return _module(node)
    if isinstance(node, _DECLS):
        return _decl(node)
    return _text([Work(node, Level.OPEN, 0)])


def _module(module: ast.Module) -> str:
    """One declaration per line; those of several lines, and other words, are set apart."""
    lines: list[str] = []
    before: tuple[type[ast.Decl], bool] | None = None
    for decl in module.decls:
        text = _decl(decl)
        here = (type(decl), "\n" in text)
        if before is not None and (here != before or here[1]):
            lines.append("")
        lines.append(text)
        before = here
    return "".join(f"{line}\n" for line in lines)


def _decl(decl: ast.Decl) -> str:
    doc = getattr(decl, "doc", "")
    comment = "".join(f"## {line}".rstrip() + "\n" for line in doc.split("\n")) if doc else ""
    before, body = decl_parts(decl)
    head = _text(before)
    if body is None:
        return comment + head
    text = _text([Work(body, Level.OPEN, 0)])
    sign = " :" if isinstance(decl, ast.Morphism) and decl.keyword == "law" and decl.signature is None else " ="
    if len(head) + 3 + len(text.split("\n", 1)[0]) <= _WIDTH:
        return f"{comment}{head}{sign} {text}"
    if len(text) + 4 > _WIDTH and isinstance(body, ast.Seq) and "\n" not in text:
        steps = parts(Work(body, Level.OPEN, 0))
        text = _text(["\n    >> " if piece == " >> " else piece for piece in steps])
    return f"{comment}{head}{sign}\n    {text}"


def _text(pieces: Parts) -> str:
    """The pieces as one text."""
    output: list[str] = []
    begins: list[int] = []  # for each open statement, where in the output it begins
    waiting = pieces[::-1]
    while waiting:
        piece = waiting.pop()
        if isinstance(piece, str):
            output.append(piece)
        elif isinstance(piece, Work):
            waiting += reversed(parts(piece))
        elif piece.opens:
            begins.append(len(output))
        else:
            begin = begins.pop()
            if output[begin] == "-":
                output[begin] = "(-"
                output.append(")")
    return "".join(output)
