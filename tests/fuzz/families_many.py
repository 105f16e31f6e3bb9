"""Families of many things of one sort."""

from __future__ import annotations

from tests.fuzz.shapes import HEAD, Family, M, V, letter, letters, many, stated, wires

MANY: dict[str, Family] = {
    "dims": many(lambda i: f"dim K{i} = {i}"),
    "dims in one line": lambda n: "dim " + ", ".join(f"K{i}" for i in range(n)),
    "dims with roles": many(lambda i: f"dim K{i} : time"),
    "facts": many(lambda i: f"where {i + 2} | H"),
    "facts of bounds": many(lambda i: f"where H >= {i}, W <= {i}"),
    "facts of dims": lambda n: (
        "dim "
        + ", ".join(f"K{i}" for i in range(n + 1))
        + "\n"
        + "\n".join(f"where 2 | K{i}" for i in range(n))
        + "\nmorphism m : Real[K0] -> Real[K1] = id"
    ),
    "facts in a chain": lambda n: (
        "dim "
        + ", ".join(f"K{i}" for i in range(n + 1))
        + "\n"
        + "\n".join(f"where K{i} == K{i + 1}" for i in range(n))
        + f"\nmorphism m : Real[L: K0] -> Real[L: K{n}] = id"
    ),
    "facts in a growing chain": lambda n: (
        "dim "
        + ", ".join(f"K{i}" for i in range(n + 1))
        + "\n"
        + "\n".join(f"where K{i} == 2 * K{i + 1} + 1" for i in range(n))
        + f"\nmorphism m : Real[L: K0] -> Real[L: K{n}] = id"
    ),
    "facts of products": lambda n: (
        "dim "
        + ", ".join(f"K{i}" for i in range(n + 2))
        + "\n"
        + "\n".join(f"where K{i} == K{i + 1} * K{i + 2}" for i in range(n))
        + f"\nmorphism m : Real[L: K0] -> Real[L: K{n}] = id"
    ),
    "facts of sums": stated(lambda n: ", ".join(f"{i + 2} | H + {i} * W" for i in range(n))),
    "facts of primes": stated(
        lambda n: ", ".join(f"{p} | H + {i} * W" for i, p in enumerate((2, 3, 5, 7, 11, 13, 17, 19) * (n // 8 + 1)))
    ),
    "facts of large numbers": stated(lambda n: f"10^{n} | H, H >= 10^{n}, 10^{n} >= W"),
    "facts that contradict": stated(lambda n: f"H >= {n + 1}, H <= {n}"),
    "facts of powers": stated(lambda n: f"H^{n} == W^{n}"),
    "facts of floors": stated(lambda n: ", ".join(f"H // {i + 2} == W // {i + 2}" for i in range(n))),
    "allows in one comment": lambda n: f"# catdl: allow {'W0201 ' * n}\n{M}relu",
    "allows at a line end": lambda n: f"{M}relu  # catdl: allow {'W0201, ' * n}",
    "allows above": lambda n: "# catdl: allow W0201\n" * n + "dim " + ", ".join(f"K{i} = 1" for i in range(n)),
    "allows inside": lambda n: f"{M}x => {{\n" + "# catdl: allow W0201\n" * n + "x >> relu\n}",
    "blanks between allows": lambda n: f"# catdl: allow W0201{' ' * n}W0202\n",
    "kinds": many(lambda i: f"kind K{i} : free Real"),
    "kinds in a row": lambda n: (
        "kind K0 : free Real\n"
        + "\n".join(f"kind K{i + 1} : free K{i}" for i in range(n))
        + f"\nmorphism m : K{n}[3] -> Real[3] = id\nmorphism k : K{n}[3] @ K{n // 2}[3] -> Real[3] = (x, y) => x + y"
    ),
    "kinds in a row backwards": lambda n: (
        "\n".join(f"kind K{n - i} : earned K{n - i - 1}" for i in range(n))
        + "\nkind K0 : free Real\n"
        + f"morphism m : K{n}[3] -> K0[3] = id"
    ),
    "kinds in a circle": lambda n: "\n".join(f"kind K{i} : free K{(i + 1) % (n + 1)}" for i in range(n + 1)),
    "kinds with axes": many(lambda i: f"kind K{i}[A] : earned Real", "morphism m : K0[A](Real[A]) -> () = discard"),
    "overloads": lambda n: (
        "\n".join(f"kind K{i} : free Real\noverload exp : K{i} -> K{i}" for i in range(n))
        + "\nmorphism m : K0[3] -> K0[3] = exp"
    ),
    "overloads of two": lambda n: (
        "\n".join(f"kind K{i} : free Real" for i in range(n + 1))
        + "\n"
        + "\n".join(f"overload mul : K{i} @ K{i + 1} -> K{i}" for i in range(n))
        + "\nmorphism m : K0[3] @ K1[3] -> K0[3] = (x, y) => x * y"
    ),
    "overloads that are the same": many(lambda i: "overload exp : Real -> Real"),
    "objects": many(lambda i: f"object O{i} = Real[D]"),
    "objects in a row": lambda n: (
        HEAD
        + "object O0 = Real[D]\n"
        + "\n".join(f"object O{i + 1} = O{i}" for i in range(n))
        + f"\nmorphism m : O{n} -> O0 = id"
    ),
    "params": many(lambda i: f"param p{i} : Real[D] ~ normal(0, 1)"),
    "morphisms": many(lambda i: f"morphism m{i} : Real[D] -> Real[D] = relu"),
    "morphisms with errors": many(lambda i: f"morphism m{i} : Real[D] -> Real[D] = rleu"),
    "morphisms with wrong sizes": many(lambda i: f"morphism m{i} : Real[D] -> Real[D] = linear({i})"),
    "morphisms with wrong axes": many(lambda i: f"morphism m{i} : Real[D] -> Real[T] = relu >> mean[A]"),
    "morphisms of one name": many(lambda i: "morphism m : Real[D] -> Real[D] = relu"),
    "syntax errors": many(lambda i: f"morphism m{i} : : = )"),
    "names unknown": lambda n: (
        HEAD + "\n".join(f"morphism morphism_{i} : Real[D] -> Real[D] = morphism_{i}x" for i in range(n))
    ),
    "names alike": lambda n: (
        HEAD
        + "\n".join(f"dim {'a' * 40}{i} = 1" for i in range(n // 2 + 1))
        + "\n"
        + "\n".join(f"morphism m{i} : Real[{'a' * 40}x{i}] -> () = discard" for i in range(n // 2 + 1))
    ),
    "imports": many(lambda i: f"from nowhere{i} import f{i}"),
    "imports of one": lambda n: "from nowhere import " + ", ".join(f"f{i}" for i in range(n)),
    "imports deep": lambda n: "from " + "a." * n + "b import f",
    "imports of a long name": lambda n: "from " + "a" * n + " import f",
    "externs": many(lambda i: f'extern morphism e{i} : Real[D] -> Real[D] = python("a.b:C", n = {i})'),
    "axes": lambda n: (
        "dim "
        + ", ".join(f"K{i} = 2" for i in range(n))
        + "\nmorphism m : Real["
        + ", ".join(f"K{i}" for i in range(n))
        + "] -> Real = sum[..]"
    ),
    "axes of letters": lambda n: (
        "morphism m : Real[" + ", ".join(["2"] * n) + "] -> Real[" + ", ".join(["2"] * n) + "] = relu >> relu"
    ),
    "axes flattened": lambda n: (
        "dim "
        + ", ".join(f"K{i} = 2" for i in range(n))
        + "\nmorphism m : Real["
        + ", ".join(f"K{i}" for i in range(n))
        + "] -> () = flatten >> discard"
    ),
    "axes permuted": lambda n: (
        "dim "
        + ", ".join(f"K{i}" for i in range(n))
        + "\nmorphism m : Real["
        + ", ".join(f"K{i}" for i in range(n))
        + "] -> () = permute["
        + ", ".join(f"K{n - i - 1}" for i in range(n))
        + "] >> discard"
    ),
    "axes of one label": lambda n: HEAD + "morphism m : Real[" + ", ".join(["A"] * n) + "] -> Real = sum[..]",
    "axes merged": lambda n: (
        "dim "
        + ", ".join(f"K{i}" for i in range(n))
        + "\nmorphism m : Real[("
        + " ".join(f"K{i}" for i in range(n))
        + ")] -> () = discard"
    ),
    "axes added": lambda n: (
        "dim "
        + ", ".join(f"K{i}" for i in range(n))
        + "\nmorphism m : Real["
        + ", ".join(f"K{i}" for i in range(n))
        + "] @ Real["
        + ", ".join(f"K{n - i - 1}" for i in range(n))
        + "] -> () = (x, y) => over["
        + ", ".join(f"K{i}" for i in range(n))
        + "](x + y) >> discard"
    ),
    "axes contracted": lambda n: (
        "dim "
        + ", ".join(f"K{i}" for i in range(n))
        + "\nmorphism m : Real["
        + ", ".join(f"K{i}" for i in range(n))
        + "] @ Real["
        + ", ".join(f"K{i}" for i in range(n))
        + "] -> () = (x, y) => contract["
        + ", ".join(f"K{i}" for i in range(n))
        + "](x, y) >> discard"
    ),
    "rows": lambda n: (
        HEAD
        + "morphism f["
        + ", ".join(f"..S{i}" for i in range(n))
        + "] : "
        + " @ ".join(f"Real[..S{i}]" for i in range(n))
        + " -> () = discard\nmorphism m : Real[T, D] -> () = f"
    ),
    "rows in one list": lambda n: (
        HEAD
        + "morphism f["
        + ", ".join(f"..S{i}" for i in range(n))
        + "] : Real["
        + ", ".join(f"..S{i}" for i in range(n))
        + "] -> () = discard\nmorphism m : Real[T, D] -> () = f"
    ),
    "binders": lambda n: (
        HEAD
        + "morphism f["
        + ", ".join(f"K{i}" for i in range(n))
        + "] : Real["
        + ", ".join(f"K{i}" for i in range(n))
        + "] -> () = discard\nmorphism m : Real[T, D] -> () = f"
    ),
    "parameters": lambda n: (
        HEAD
        + "morphism f("
        + ", ".join(f"k{i} = 1" for i in range(n))
        + ") = relu\nmorphism m : Real[D] -> Real[D] = f"
    ),
    "arguments": lambda n: M + "linear(" + ", ".join(["1"] * n) + ")",
    "arguments by name": lambda n: M + "linear(" + ", ".join(f"k{i} = 1" for i in range(n)) + ")",
    "ports": lambda n: (
        HEAD
        + "morphism m : ("
        + ", ".join(f"x{i}: Real[D]" for i in range(n))
        + ") -> Real[D] = ("
        + ", ".join(f"x{i}" for i in range(n))
        + ") => "
        + " + ".join(f"x{i}" for i in range(n))
    ),
    "ports forgotten": lambda n: (
        HEAD
        + "morphism m : ("
        + ", ".join(f"x{i}: Real[D]" for i in range(n))
        + ") -> () = ("
        + ", ".join(f"x{i}" for i in range(n))
        + ") => ()"
    ),
    "ports of one name": lambda n: HEAD + "morphism m : (" + ", ".join(["x: Real[D]"] * n) + ") -> () = discard",
    "targets": lambda n: M + "x => {\n" + ", ".join(f"y{i}" for i in range(n)) + " = x\nx\n}",
    "targets of one name": lambda n: M + "x => {\n" + ", ".join(["y"] * n) + " = x\nx\n}",
    "rearrange": lambda n: (
        "dim "
        + ", ".join(f"K{i}" for i in range(n))
        + "\nmorphism m : Real["
        + ", ".join(f"K{i}" for i in range(n))
        + f'] -> () = rearrange("{letters(n)} -> ({letters(n)})") >> discard'
    ),
    "rearrange apart": lambda n: (
        HEAD
        + f'morphism m : Real[K: 2^{n}] -> () = rearrange("({letters(n)}) -> {letters(n)}", '
        + ", ".join(f"{letter(i)} = 2" for i in range(n))
        + ") >> discard"
    ),
    "rearrange nested": lambda n: M + f'rearrange("{"(" * n}a{")" * n} -> a")',
    "rearrange of one": lambda n: M + f'rearrange("{"a " * n}-> a")',
    "reduce": lambda n: M + f'reduce("t d -> {"1 " * n}t", "mean")',
    "einsum": lambda n: (
        "morphism m : "
        + " @ ".join(["Real[2, 2]"] * n)
        + " -> Real[2, 2] = "
        + f'einsum("{", ".join(f"{letter(i)} {letter(i + 1)}" for i in range(n))} -> a {letter(n)}")'
    ),
    "einsum of letters": lambda n: (
        "morphism m : Real[" + ", ".join(["2"] * n) + f'] -> Real = einsum("{letters(n)} ->")'
    ),
    "einsum of one": lambda n: "morphism m : Real[" + ", ".join(["2"] * n) + f'] -> Real = einsum("{"a " * n}->")',
    "plugs in one": lambda n: V + "linear{" + ", ".join(["weight = ones"] * n) + "}",
    "globs in one": lambda n: V + "linear{" + ", ".join(["**: frozen"] * n) + "}",
    "stars": lambda n: V + "linear{" + "**." * n + "weight = ones}",
    "stars against depth": lambda n: V + "repeat(6, fresh repeat(6, fresh linear)){" + "**." * n + "weight = ones}",
    "labels of one name": lambda n: V + " >> ".join(["a: linear"] * n),
    "labels": lambda n: V + " >> ".join(f"a{i}: linear" for i in range(n)),
    "docs": lambda n: "## d\n" * n + "dim A",
    "blank lines": lambda n: "\n" * n,
    "carriage returns": lambda n: HEAD + "\r" * n,
    "spaces": lambda n: M + " " * n + "relu",
    "one long line": lambda n: M + "relu >> " * n + "rleu" + " >> relu" * n,
    "wide letters": lambda n: M + "漢" * n,
    "combining letters": lambda n: M + '"' + "e\u0301" * n + '" >> rleu',
    "controls": lambda n: M + "\x1b[31m" * n,
    "marks": lambda n: M + "\ufeff" * n,
    "where in signatures": many(lambda i: f"morphism m{i} : Real[H] -> Real[H] where {i + 2} | H = relu"),
    "native by a user": many(lambda i: f"native morphism n{i} : Real[D] -> Real[D]"),
    "core by a user": many(lambda i: f"core morphism n{i}"),
    "pool with a giant": lambda n: HEAD + f"morphism m : Real[A, H, W] -> () = maxpool(10^{n}) >> discard",
    "pool with a giant stride": lambda n: (
        HEAD + f"morphism m : Real[A, H, W] -> () = maxpool(3, stride = 10^{n}) >> discard"
    ),
    "conv with a giant dilation": lambda n: (
        HEAD + f"morphism m : Real[A, H, W] -> () = conv(8, 3, dilation = 10^{n}) >> discard"
    ),
    "pad with a giant": lambda n: M + f"pad[T](10^{n}, 10^{n}) >> discard",
    "shift by a giant": lambda n: M + f"shift[T](10^{n})",
    "dims that are giants": lambda n: f"dim G = 10^{n}\nmorphism m : Real[G, G] -> Real[G, G] = linear >> layernorm",
    "cumulative": lambda n: M + " >> ".join(["cumsum[T]"] * n),
    "attend": lambda n: (
        M + "x => " + "(" * 0 + " + ".join(["((x, x >> rename[T -> T'], x >> rename[T -> T']) >> attend)"] * n)
    ),
    "conditions": lambda n: (
        HEAD + f"morphism m : Real[D] -> Real[D] = if {' == '.join(['1'] * (n + 1))} then relu else tanh"
    ),
    "conditions of wires": wires(lambda n: " < ".join(["x"] * (n + 1))),
}
