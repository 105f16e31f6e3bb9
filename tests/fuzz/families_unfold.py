# ruff: noqa: E501  (lines of specs)
"""Families that unfold: repetition, recursion, doubling."""

from __future__ import annotations

from tests.fuzz.shapes import HEAD, Family, M, V, wires

TIMES: dict[str, Family] = {
    "repeat": lambda n: V + f"repeat(10^{n}, relu)",
    "repeat with weights": lambda n: V + f"repeat(10^{n}, fresh linear)",
    "repeat nested": lambda n: V + "repeat(10, " * n + "relu" + ")" * n,
    "repeat nested with weights": lambda n: V + "repeat(10, fresh " * n + "linear" + ")" * n,
    "repeat of many": lambda n: V + "repeat(100, " * n + "relu >> tanh" + ")" * n,
    "repeat of repeats": lambda n: V + " >> ".join(["repeat(1000, relu)"] * n),
    "repeat that grows": lambda n: HEAD + f"morphism m : Real[T] -> () = repeat({n}, pad[T](1, 0)) >> discard",
    "repeat that doubles": lambda n: HEAD + f"morphism m : Real[T] -> () = repeat({n}, copy >> concat[T]) >> discard",
    "repeat that copies": lambda n: HEAD + f"morphism m : Real[T] -> () = repeat({n}, copy) >> discard",
    "repeat that expands": lambda n: HEAD + f"morphism m : Real[T] -> () = repeat({n}, expand[A]) >> discard",
    "repeat of a product": lambda n: HEAD + f"morphism m : Real[D]^{n} -> Real[D]^{n} = repeat({n}, id)",
    "repeat of the wrong": lambda n: V + f"repeat(10^{n}, nonsense)",
    "repeat negative": lambda n: V + f"repeat(-10^{n}, relu)",
    "iterate": lambda n: V + f"iterate(10^{n}, relu)",
    "iterate nested": lambda n: V + "iterate(10, " * n + "relu" + ")" * n,
    "iterate with weights": lambda n: V + f"iterate(10^{n}, tied linear)",
    "chain of chains": lambda n: V + "chain([" * n + "relu" + ", relu, relu])" * n,
    "chain of comprehensions": lambda n: V + "chain([" * n + "relu" + " for i in range(10)])" * n,
    "chain over a range": lambda n: V + f"chain([relu for i in range(10^{n})])",
    "chain over layers": lambda n: V + f"chain([linear(i + 1) for i in range(10^{n})]) >> linear",
    "map nested": lambda n: HEAD + "morphism m : Real[T, D] -> Real[T, D] = " + "map[T](" * n + "relu" + ")" * n,
    "each nested": lambda n: (
        HEAD + "morphism m : Real[A, D] -> Real[A, D] = " + "each[A](fresh " * n + "linear" + ")" * n
    ),
    "each of many": lambda n: HEAD + f"dim N = 10^{n}\nmorphism m : Real[N, D] -> Real[N, D] = each[N](fresh linear)",
    "functors of functors": lambda n: (
        HEAD
        + "functor F0(X) = X\n"
        + "".join(f"functor F{k + 1}(X) = F{k}(F{k}(X))\n" for k in range(n))
        + f"functor G(X) = () + F{n}(X)\nmorphism m : mu(G) -> mu(G) = id"
    ),
    "functors that grow": lambda n: (
        HEAD
        + "functor F0(X) = () + X\n"
        + "".join(f"functor F{k + 1}(X) = F{k}(X) @ F{k}(X)\n" for k in range(n))
        + f"morphism m : mu(F{n}) -> mu(F{n}) = id"
    ),
    "legs of many summands": lambda n: (
        HEAD
        + f"functor F(X) = {' + '.join(['()'] * n)} + X\n"
        + f"morphism m : mu(F) -> Real[D] = fold([ {' | '.join(['zeros[D]'] * n)} | relu ])"
    ),
    "power of a type": lambda n: HEAD + f"morphism m : Real[D]^(10^{n}) -> () = discard",
    "power of a type kept": lambda n: HEAD + f"morphism m : Real[D]^(10^{n}) -> Real[D]^(10^{n}) = id",
    "power of a type by a sum": lambda n: HEAD + f"morphism m : Real[D]^(10^{n}) -> Real[D] = (x, y) => x + y",
    "power of powers": lambda n: HEAD + "morphism m : " + "(" * n + "Real[D]" + "^9)" * n + " -> () = discard",
    "power of an object": lambda n: (
        HEAD
        + "object O0 = Real[D]\n"
        + "\n".join(f"object O{i + 1} = O{i} @ O{i}" for i in range(n))
        + f"\nmorphism m : O{n} -> O{n} = id"
    ),
    "power of an object's axes": lambda n: (
        HEAD
        + "object O0 = Real[D]\n"
        + "\n".join(f"object O{i + 1} = O{i}^7" for i in range(n))
        + f"\nmorphism m : O{n} -> () = discard"
    ),
    "dims from dims": lambda n: (
        "dim A0 = 2\n"
        + "\n".join(f"dim A{i + 1} = A{i} * A{i}" for i in range(n))
        + f"\nmorphism m : Real[A{n}] -> () = discard"
    ),
    "dims from free dims": lambda n: (
        "dim A0\n"
        + "\n".join(f"dim A{i + 1} = (A{i} + 1) * (A{i} + 2)" for i in range(n))
        + f"\nmorphism m : Real[A{n}] -> () = discard"
    ),
    "dims in a row": lambda n: (
        "dim A0\n"
        + "\n".join(f"dim A{i + 1} = A{i} + 1" for i in range(n))
        + f"\nmorphism m : Real[A{n}] -> () = discard"
    ),
    "dims in a row backwards": lambda n: (
        "\n".join(f"dim A{n - i} = A{n - i - 1} + 1" for i in range(n))
        + "\ndim A0 = 1\n"
        + f"morphism m : Real[A{n}] -> () = discard"
    ),
    "dims in a circle": lambda n: "\n".join(f"dim A{i} = A{(i + 1) % (n + 1)} + 1" for i in range(n + 1)),
    "objects in a circle": lambda n: "\n".join(f"object O{i} = O{(i + 1) % (n + 1)}" for i in range(n + 1)),
    "morphisms in a circle": lambda n: HEAD + "\n".join(f"morphism m{i} = m{(i + 1) % (n + 1)}" for i in range(n + 1)),
    "morphisms in a circle with types": lambda n: (
        HEAD + "\n".join(f"morphism m{i} : Real[D] -> Real[D] = m{(i + 1) % (n + 1)}" for i in range(n + 1))
    ),
    "morphisms in a row": lambda n: (
        HEAD
        + "morphism m0 : Real[D] -> Real[D] = relu\n"
        + "\n".join(f"morphism m{i + 1} : Real[D] -> Real[D] = m{i} >> m{i}" for i in range(n))
    ),
    "morphisms in a row with weights": lambda n: (
        HEAD
        + "morphism m0 : Real[D] -> Real[D] = linear\n"
        + "\n".join(f"morphism m{i + 1} : Real[D] -> Real[D] = m{i} >> m{i}" for i in range(n))
    ),
    "morphisms without types in a row": lambda n: (
        HEAD
        + "morphism m0 = relu\n"
        + "\n".join(f"morphism m{i + 1} = m{i} >> m{i}" for i in range(n))
        + f"\nmorphism m : Real[D] -> Real[D] = m{n}"
    ),
    "morphisms without types backwards": lambda n: (
        HEAD
        + "\n".join(f"morphism m{n - i} = m{n - i - 1} >> m{n - i - 1}" for i in range(n))
        + f"\nmorphism m0 = relu\nmorphism m : Real[D] -> Real[D] = m{n}"
    ),
    "higher order in a row": lambda n: (
        HEAD
        + "morphism h0[X](fresh f : X -> X) : X -> X = f >> f\n"
        + "\n".join(f"morphism h{i + 1}[X](fresh f : X -> X) : X -> X = h{i}(h{i}(f))" for i in range(n))
        + f"\nmorphism m : Real[D] -> Real[D] = h{n}(relu)"
    ),
    "higher order nested": lambda n: (
        HEAD
        + "morphism r[X](f : X -> X) : X -> X = x => x + (x >> f)\nmorphism m : Real[D] -> Real[D] = "
        + "r(" * n
        + "relu"
        + ")" * n
    ),
    "equations": lambda n: (
        HEAD + f"morphism f(0) = relu\nmorphism f(n) = f(n - 1) >> tanh\nmorphism m : Real[D] -> Real[D] = f({n})"
    ),
    "equations that double": lambda n: (
        HEAD + f"morphism f(0) = relu\nmorphism f(n) = f(n - 1) >> f(n - 1)\nmorphism m : Real[D] -> Real[D] = f({n})"
    ),
    "equations with types": lambda n: (
        HEAD
        + "morphism f(0) : Real[D] -> Real[D] = relu\nmorphism f(n) : Real[D] -> Real[D] = f(n - 1) >> linear\n"
        + f"morphism m : Real[D] -> Real[D] = f({n})"
    ),
    "equations with types that double": lambda n: (
        HEAD
        + "morphism f(0) : Real[D] -> Real[D] = relu\n"
        + f"morphism f(n) : Real[D] -> Real[D] = f(n - 1) >> f(n - 1)\nmorphism m : Real[D] -> Real[D] = f({n})"
    ),
    "equations without end": lambda n: (
        HEAD + f"morphism f(n) = f(n + {n}) >> relu\nmorphism m : Real[D] -> Real[D] = f(0)"
    ),
    "equations with types without end": lambda n: (
        HEAD
        + f"morphism f(0) : Real[D] -> Real[D] = relu\nmorphism f(n) : Real[D] -> Real[D] = f(n + {n})\nmorphism m : Real[D] -> Real[D] = f(1)"
    ),
    "equations of two": lambda n: (
        HEAD
        + "morphism f(0) = relu\nmorphism f(n) = g(n - 1) >> g(n - 1)\nmorphism g(0) = tanh\n"
        + f"morphism g(n) = f(n - 1) >> f(n - 1)\nmorphism m : Real[D] -> Real[D] = f({n})"
    ),
    "equations of numbers": lambda n: (
        HEAD
        + "morphism f(0) = 1\nmorphism f(1) = 1\nmorphism f(n) = f(n - 1) + f(n - 2)\n"
        + f"morphism m : Real[D] -> () = linear(f({n})) >> discard"
    ),
    "equations of many": lambda n: (
        HEAD
        + "\n".join(f"morphism f({i}) = relu" for i in range(n))
        + f"\nmorphism m : Real[D] -> Real[D] = f({n - 1})"
    ),
    "Ackermann": lambda n: (
        HEAD
        + "morphism a(0, n) = n + 1\nmorphism a(m, 0) = a(m - 1, 1)\nmorphism a(m, n) = a(m - 1, a(m, n - 1))\n"
        + f"morphism m : Real[D] -> () = linear(a({n}, {n})) >> discard"
    ),
    "numbers without end": lambda n: (
        HEAD + f"morphism f(n) = f(n + {n})\nmorphism m : Real[D] -> () = linear(f(0)) >> discard"
    ),
    "functions in a row": lambda n: (
        "morphism f0(n) = n + 1\n"
        + "\n".join(f"morphism f{i + 1}(n) = f{i}(f{i}(n))" for i in range(n))
        + f"\nmorphism m : Real[3] -> () = linear(f{n}(1)) >> discard"
    ),
    "instances": lambda n: (
        HEAD
        + "morphism g(O : axis) : Real[D] -> Real[O] = linear(O)\nmorphism m : Real[D] -> () = copy >> "
        + " >> ".join(f"((g({i + 1}) >> discard) @ copy)" for i in range(n))
        + " >> discard"
    ),
    "instances with numbers": lambda n: (
        HEAD
        + "morphism g(k) : Real[D] -> Real[D] = x => x * k\nmorphism m : Real[D] -> Real[D] = "
        + " >> ".join(f"g({i})" for i in range(n))
    ),
    "instances of a template": lambda n: (
        HEAD
        + "morphism g(k) = linear(k)\nmorphism m : Real[D] -> () = "
        + " >> ".join(f"g({i + 1})" for i in range(n))
        + " >> discard"
    ),
    "blocks in lines": lambda n: M + "x => {\n" + "".join(f"y{i} = x >> relu\n" for i in range(n)) + "x\n}",
    "blocks that double": lambda n: (
        M + "x0 => {\n" + "".join(f"x{i + 1} = x{i} + x{i}\n" for i in range(n)) + f"x{n}\n}}"
    ),
    "blocks with boxes": lambda n: (
        M + "x => {\nbox b0 = relu\n" + "".join(f"box b{i + 1} = b{i} >> b{i}\n" for i in range(n)) + f"b{n}(x)\n}}"
    ),
    "blocks with params": lambda n: (
        M + "x => {\n" + "".join(f"param p{i} : Real[D] ~ ones\n" for i in range(n)) + "x\n}"
    ),
    "blocks with errors": lambda n: M + "x => {\n" + "".join(f"y{i} = z{i}\n" for i in range(n)) + "x\n}",
    "pairs that double": wires(lambda n: "(" * n + "x" + " >> copy)" * n + " >> discard"),
    "tuples that double": lambda n: (
        M + "x0 => {\n" + "".join(f"x{i + 1} = (x{i}, x{i})\n" for i in range(n)) + f"x{n} >> discard\n}}"
    ),
}
