"""Which names a declaration mentions, and in which order declarations can be read.

Takes syntax; guarantees an order in which everything is read after what it needs, and names the cycles (networkx is
loaded only for those). Nothing here recurses: a chain of 100 000 declarations is ordinary.
"""

from __future__ import annotations

from collections.abc import Iterable

from catdl.syntax import ast


def mentioned(roots: list[object]) -> set[str]:
    """Every name that occurs in some syntax, as a value, a label or a row."""
    out: set[str] = set()
    stack = list(roots)
    while stack:
        node = stack.pop()
        match node:
            case None | str() | int():
                pass
            case ast.Name(id):
                out.add(id)
                if id.endswith("'"):
                    out.add(id.rstrip("'"))
            case ast.Seq(steps):
                stack += steps
            case ast.Call(function, args):
                stack.append(function)
                stack += args
            case ast.Arg(name, sep, value):
                if sep == ":" and name is not None:
                    out.add(name)
                stack.append(value)
            case ast.Index(base, items) | ast.Plug(base, items):
                stack.append(base)
                stack += items
            case ast.Tensor(legs) | ast.Fan(legs) | ast.Copair(legs):
                stack += legs
            case ast.Chain(operands, _):
                stack += operands
            case ast.Tuple(items) | ast.List(items):
                stack += items
            case ast.Splice(name):
                if name is not None:
                    out.add(name)
            case ast.Lambda(_, body):
                stack.append(body)
            case ast.Labelled(_, body) | ast.Tie(_, body):
                stack.append(body)
            case ast.Negate(operand):
                stack.append(operand)
            case ast.Power(base, exponent):
                stack += (base, exponent)
            case ast.Arrow(domain, codomain):
                stack += (domain, codomain)
            case ast.Field(base, _):
                stack.append(base)
            case ast.If(condition, then, orelse):
                stack += (condition, then, orelse)
            case ast.Comprehension(value, _, source):
                stack += (value, source)
            case ast.Block(statements, result):
                stack += statements
                stack.append(result)
            case ast.Bind(_, value) | ast.Box(value=value) | ast.Emit(_, value) | ast.Store(_, value):
                stack.append(value)
            case ast.LocalParam():
                stack += (node.type, node.init, node.condition)
            case ast.Morphism():
                stack += (node.signature, node.body, node.where)
                for param in node.params or ():
                    stack += (param.sort, param.default)
            case ast.Where(facts):
                for fact in facts:
                    stack += (fact.left, fact.right)
            case ast.Dim():
                stack.append(node.size)
                for role in node.roles:  # the word itself is no name, nor is a group of matrices
                    match role:
                        case ast.Call(ast.Name("irrep" | "regular"), args):
                            stack += [arg.value for arg in args]
                        case _:
                            pass
            case ast.Object() | ast.Functor():
                stack.append(node.value)
            case ast.Group():  # what its relations name are its own generators
                stack += (*node.places, node.value)
            case ast.Learner():
                for stated in node.fields:
                    match stated:
                        case ast.Bind(ast.Name("data" | "validate" | "test"), ast.Call(_, args)):
                            stack += arithmetic(args)  # names of columns are those of a file
                        case _:
                            stack.append(stated)
            case ast.Param():
                stack += (node.type, node.init)
            case ast.Kind():
                out |= {name for name in (node.base, node.element) if name is not None}
            case _:
                pass
    return out


def arithmetic(columns: tuple[ast.Arg, ...]) -> list[object]:
    """What is done to the numbers of columns, `image / D`, without the columns."""
    chains = [arg.value for arg in columns if isinstance(arg.value, ast.Chain)]
    return [operand for chain in chains for operand in chain.operands[1:]]


def take_turns(decls: Iterable[ast.Decl]) -> set[str]:
    """What learners name in `turns = alternate(…)`."""
    fields = [field for node in decls if isinstance(node, ast.Learner) for field in node.fields]
    named = (f for f in fields if isinstance(f, ast.Bind) and isinstance(f.pattern, ast.Name))
    return mentioned([f.value for f in named if isinstance(f.pattern, ast.Name) and f.pattern.id == "turns"])


def free(roots: list[object], name: str) -> bool:
    """Whether a name occurs in some syntax where nothing in it binds it. Asked of few: it looks at every field."""
    stack = list(roots)
    while stack:
        node = stack.pop()
        match node:
            case ast.Name(id):
                if id.rstrip("'") == name or id == name:
                    return True
            case ast.Lambda(pattern, body):
                if name not in pattern_names(pattern):
                    stack.append(body)
            case ast.Comprehension(value, target, source):
                stack += [source] if name in pattern_names(target) else [source, value]
            case ast.Block(statements, result):
                stack += until_bound((*statements, result), name)
            case ast.Morphism(params=params, binders=binders):
                if all(p.name != name for p in params or ()) and all(b.name != name for b in binders):
                    stack += fields(node)
            case ast.Arg(label, ":", value):
                if label == name:
                    return True
                stack.append(value)
            case ast.Kind(base=base):
                if base == name:
                    return True
            case tuple():
                stack += node
            case _:
                stack += fields(node)
    return False


def until_bound(statements: tuple[object, ...], name: str) -> list[object]:
    """What the statements of a block read, up to the one that binds a name."""
    out: list[object] = []
    for statement in statements:
        match statement:
            case ast.Bind(pattern, value):
                out.append(value)
                if name in pattern_names(pattern):
                    return out
            case ast.Box(name=bound, value=value):
                out.append(value)
                if bound == name:
                    return out
            case ast.Store(bound, value):
                out.append(value)
                if bound == name:
                    return out
            case ast.LocalParam(name=bound):
                out += [statement.type, statement.init, statement.condition]
                if bound == name:
                    return out
            case _:
                out.append(statement)
    return out


def fields(node: object) -> list[object]:
    """The fields of a node."""
    return [getattr(node, field) for field in getattr(node, "__match_args__", ())]


def pattern_names(pattern: ast.Expr) -> list[str]:
    """The names of a pattern, in order."""
    match pattern:
        case ast.Name(id):
            return [id]
        case ast.Tuple(items):
            return [name for item in items for name in pattern_names(item.value)]
        case _:
            return []


def kind_word(node: ast.Expr) -> str | None:
    """The word at the root of a type of one tensor: `Logits` of `Logits(C)[T, C]`."""
    while isinstance(node, (ast.Index, ast.Call)):
        node = node.base if isinstance(node, ast.Index) else node.function
    return node.id if isinstance(node, ast.Name) else None


def leaves(pattern: ast.Tuple) -> tuple[ast.Arg, ...]:
    """The items of a pattern without its inner brackets, in order."""
    found: list[ast.Arg] = []
    stack = list(reversed(pattern.items))
    while stack:
        item = stack.pop()
        if isinstance(item.value, ast.Tuple):
            stack += reversed(item.value.items)
        else:
            found.append(item)
    return tuple(found)


def emits(body: ast.Expr | None) -> bool:
    """Whether the body of a morphism emits anything itself."""
    stack: list[ast.Expr | None] = [body]
    while stack:
        match stack.pop():
            case ast.Block(statements, result):
                if any(isinstance(s, ast.Emit) for s in statements):
                    return True
                stack.append(result)
            case ast.Lambda(_, inner):
                stack.append(inner)
            case _:
                pass
    return False


def local_params(body: ast.Expr | None) -> list[ast.LocalParam]:
    """The parameters that the body of a morphism declares."""
    out: list[ast.LocalParam] = []
    stack: list[ast.Expr | None] = [body]
    while stack:
        node = stack.pop()
        match node:
            case ast.Block(statements, result):
                out += [s for s in statements if isinstance(s, ast.LocalParam)]
                stack.append(result)
            case ast.Lambda(_, body):
                stack.append(body)
            case _:
                pass
    return out


def bound_names(roots: list[object]) -> set[str]:
    """The names that the bodies of some syntax bind: patterns, boxes, parameters."""
    out: set[str] = set()
    stack = list(roots)
    while stack:
        match stack.pop():
            case ast.Morphism(body=body) if body is not None:
                stack.append(body)
            case ast.Lambda(pattern, body):
                stack += [("pattern", pattern), body]
            case ast.Block(statements, result):
                stack += [*statements, result]
            case ast.Bind(pattern, value):
                stack += [("pattern", pattern), value]
            case ast.Box(name=name, value=value):
                out.add(name)
                stack.append(value)
            case ast.LocalParam(name=name):
                out.add(name)
            case ast.Seq(steps):
                stack += steps
            case ast.Call(function, args):
                stack += [function, *(a.value for a in args)]
            case ("pattern", ast.Name(id)):
                out.add(id)
            case ("pattern", ast.Tuple(items)):
                stack += [("pattern", item.value) for item in items]
            case _:
                pass
    return out


def ordered(needs: dict[str, set[str]]) -> tuple[list[str], list[tuple[str, ...]]]:
    """Names after what they need, in text order otherwise; and the cycles, one for each knot.

    What is in a knot has no place; what only needs it comes last.
    """
    out = unknotted(needs)
    if len(out) == len(needs):
        return out, []
    done = set(out)
    rest = {name: wanted for name, wanted in needs.items() if name not in done}
    cycles, tied = knots(rest)
    return [*out, *unknotted({name: wanted - tied for name, wanted in rest.items() if name not in tied})], cycles


def unknotted(needs: dict[str, set[str]]) -> list[str]:
    """The names that need no knot, after what they need."""
    waiting = {name: sum(1 for n in wanted if n in needs) for name, wanted in needs.items()}
    users: dict[str, list[str]] = {}
    for name, wanted in needs.items():
        for other in wanted:
            if other in needs:
                users.setdefault(other, []).append(name)
    ready = [name for name in reversed(list(needs)) if waiting[name] == 0]
    out: list[str] = []
    while ready:
        name = ready.pop()
        out.append(name)
        for user in reversed(users.get(name, ())):
            waiting[user] -= 1
            if waiting[user] == 0:
                ready.append(user)
    return out


def knots(needs: dict[str, set[str]]) -> tuple[list[tuple[str, ...]], set[str]]:
    """A shortest cycle of every strongly connected part, and all that is in these."""
    import networkx as nx

    graph = nx.DiGraph()
    graph.add_nodes_from(needs)
    graph.add_edges_from((name, other) for name, wanted in needs.items() for other in sorted(wanted) if other in needs)
    order = {name: i for i, name in enumerate(needs)}
    cycles: list[tuple[str, ...]] = []
    tied: set[str] = set()
    for part in nx.strongly_connected_components(graph):
        if len(part) == 1 and not graph.has_edge(*(next(iter(part)),) * 2):
            continue
        tied |= part
        start = min(part, key=order.__getitem__)
        inside = graph.subgraph(part)
        back = min((nx.shortest_path(inside, n, start) for n in sorted(inside.successors(start))), key=len)
        cycles.append((start, *back))
    return sorted(cycles, key=lambda cycle: order[cycle[0]]), tied
