"""Families of texts that nest and chain."""

from __future__ import annotations

from tests.fuzz.shapes import HEAD, Family, M, V, joined, nested, wires

BRACKETS: dict[str, Family] = {
    "parentheses": nested("(", "relu", ")"),
    "parentheses open": nested("(", "relu", ""),
    "parentheses closed": nested("", "relu", ")"),
    "lists": nested("[", "relu", "]"),
    "lists open": nested("[", "relu", ""),
    "blocks": nested("x => {\n", "x", "\n}"),
    "blocks open": nested("{", "x", ""),
    "brackets mixed": nested("([{", "x", "}])"),
    "brackets crossed": nested("([{", "x", ")]}"),
    "applied": nested("relu(", "x", ")"),
    "calls": nested("linear", "(1)", "(1)"),
    "plugs": nested("linear", "", "{w}"),
    "indices": nested("mean", "", "[T]"),
    "fields": nested("f", "", ".a"),
    "lambdas": nested("x => ", "x", ""),
    "lambdas in parentheses": nested("(x => ", "x", ")"),
    "minus": wires(lambda n: "-" * n + "x"),
    "minus in parentheses": wires(lambda n: "-(" * n + "x" + ")" * n),
    "ties": nested("tied ", "relu", ""),
    "ifs": nested("if 1 == 1 then relu else ", "relu", ""),
    "thens": nested("if 1 == 1 then ", "relu", " else tanh"),
    "ifs in parentheses": nested("(if 1 == 1 then ", "relu", " else tanh)"),
    "labels": nested("a: (", "relu", ")"),
    "types": lambda n: HEAD + "morphism m : " + "(" * n + "Real[D]" + ")" * n + " -> Real[D] = relu",
    "products": lambda n: HEAD + "morphism m : " + "(Real[D] @ " * n + "Real" + ")" * n + " -> () = discard",
    "records": lambda n: HEAD + "morphism m : " + "(x: " * n + "Real" + ")" * n + " -> () = discard",
    "powers of products": lambda n: HEAD + "morphism m : " + "(" * n + "Real" + ")^2" * n + " -> () = discard",
    "kinds in kinds": lambda n: HEAD + "morphism m : " + "Fin(" * n + "3" + ")" * n + " -> () = discard",
    "quotes": lambda n: M + '"' * n,
    "comments": lambda n: HEAD + "#" * n + "\n" + "# c\n" * n,
    "patterns": lambda n: M + "(" * n + "x" + ")" * n + " => x",
    "globs": lambda n: M + "linear{" + "{a}." * n + "b = relu}",
    "comprehensions": lambda n: M + "chain(" + "[" * n + "relu" + " for x in range(2)]" * n + ")",
}

CHAINS: dict[str, Family] = {
    **{
        f"chain of {sign}": joined(sign)
        for sign in (">>", "@", "&", "+", "*", "==", "//", "^", "-", "<", "|", ",", "=>", ":", ".", "->")
    },
    "chain of linear": joined(">>", "linear(3)"),
    "chain of layers": joined(">>", "linear >> layernorm >> softmax[D] >> dropout"),
    "chain of copies": lambda n: V + "copy >> swap >> " * n + "id",
    "chain of copy": joined(">>", "copy"),
    "chain of copy and copy": lambda n: V + "copy >> " + "(copy @ copy) >> " * n + "discard",
    "chain of expand": joined(">>", "expand[A]"),
    "chain of expand with labels": lambda n: V + " >> ".join(f"expand[K{i}: 2]" for i in range(n)),
    "chain of expand over a dim": lambda n: (
        V + " >> ".join(f"expand[K{i}: T]" for i in range(n)) + " >> flatten >> discard"
    ),
    "chain of unflatten": lambda n: (
        HEAD
        + "morphism m : Real[K: T] -> Real[K: T] = "
        + " >> ".join(f"unflatten[K](K{i}: T, K: 1)" for i in range(n))
    ),
    "chain of pad": lambda n: HEAD + "morphism m : Real[T] -> Real[T] = " + " >> ".join(["pad[T](1, 1)"] * n),
    "chain of maxpool": lambda n: (
        HEAD + "morphism m : Real[A, H, W] -> () = " + " >> ".join(["maxpool(2)"] * n) + " >> discard"
    ),
    "chain of maxpool with stride 1": lambda n: (
        HEAD
        + "morphism m : Real[A, H, W] -> () = "
        + " >> ".join(["maxpool(3, stride = 2, padding = 1)"] * n)
        + " >> discard"
    ),
    "chain of pool by primes": lambda n: (
        HEAD
        + "morphism m : Real[A, H, W] -> () = "
        + " >> ".join(f"maxpool({p})" for p in (2, 3, 5, 7, 11, 13, 17, 19, 23) * (n // 9 + 1))
        + " >> discard"
    ),
    "chain of conv": lambda n: (
        HEAD + "morphism m : Real[A, H, W] -> () = " + " >> ".join(["conv(8, 3)"] * n) + " >> discard"
    ),
    "chain of conv with stride": lambda n: (
        HEAD + "morphism m : Real[A, H, W] -> () = " + " >> ".join(["conv(8, 3, stride = 3)"] * n) + " >> discard"
    ),
    "chain of transposed conv": lambda n: (
        HEAD
        + "morphism m : Real[A, H, W] -> () = "
        + " >> ".join(["conv_transpose2d(8, 3, stride = 2)"] * n)
        + " >> discard"
    ),
    "chain of upsample": lambda n: (
        HEAD + "morphism m : Real[A, H, W] -> () = " + " >> ".join(["upsample(3)"] * n) + " >> discard"
    ),
    "chain of concat": wires(lambda n: " >> ".join(["x"] + ["copy >> concat[T]"] * n)),
    "chain of concat of all": wires(lambda n: "(" + ", ".join(["x"] * n) + ") >> concat[T]"),
    "chain of stack": wires(lambda n: "(" + ", ".join(["x"] * n) + ") >> stack[N]"),
    "chain of split": lambda n: M + f"split[D]({n}) >> discard",
    "split by a list": lambda n: M + f"split[T]([{', '.join(['1'] * n)}]) >> discard",
    "chain of slice": lambda n: (
        HEAD + "morphism m : Real[T] -> () = " + " >> ".join(["slice[T](1, T)"] * n) + " >> discard"
    ),
    "chain of window": lambda n: (
        HEAD
        + "morphism m : Real[T] -> () = "
        + " >> ".join(f"window[T](K{i}: 2, stride = 2)" for i in range(n))
        + " >> discard"
    ),
    "chain of rename": lambda n: (
        HEAD + "morphism m : Real[T] -> () = " + " >> ".join(["rename[T -> U]", "rename[U -> T]"] * n) + " >> discard"
    ),
    "chain of twins": lambda n: HEAD + f"morphism m : Real[T{chr(39) * n}] -> () = discard",
    "chain of errors": joined(">>", "nonsense"),
    "chain of wrong linear": lambda n: V + " >> ".join(["linear(true)"] * n),
    "tensor of errors": joined("@", "nonsense"),
    "sum of errors": wires(lambda n: " + ".join(["(x >> mean[A])"] * n)),
    "sum of wires": wires(lambda n: " + ".join(["x"] * n)),
    "product of wires": wires(lambda n: " * ".join(["x"] * n)),
    "wires applied": wires(lambda n: " >> ".join(["x"] + ["relu"] * n)),
    "scales": wires(lambda n: " * ".join(["x"] + ["2"] * n)),
    "powers": wires(lambda n: "x" + "^2" * n),
}
