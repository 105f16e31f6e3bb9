"""Families of numbers, sizes and floors."""

from __future__ import annotations

from tests.fuzz.shapes import HEAD, Family, M, sized, wires

NUMBERS: dict[str, Family] = {
    "digits": sized(lambda n: "9" * n),
    "digits in an argument": lambda n: M + f"linear({'9' * n})",
    "digits in a float": lambda n: M + f"dropout(0.{'3' * n})",
    "digits in an exponent": lambda n: M + f"x => x * 1e{'9' * n}",
    "digits in a negative exponent": lambda n: M + f"x => x * 1e-{'9' * n}",
    "exponent": lambda n: M + f"x => x * 1e{n}",
    "digits of a wire": wires(lambda n: f"x * {'7' * n}"),
    "tower": sized(lambda n: "^".join(["2"] * n)),
    "tower of dims": sized(lambda n: "^".join(["T"] * n)),
    "tower in an argument": lambda n: M + f"linear({'^'.join(['9'] * n)})",
    "tower of halves": lambda n: M + f"dropout({'^'.join(['0.5'] * n)})",
    "tower of fractions": lambda n: M + f"x => x * ((1 / 3) ^ {'^'.join(['9'] * n)})",
    "squares": lambda n: M + f"linear({'(' * n}3{')^2' * n})",
    "squares of a fraction": lambda n: M + f"x => x * {'(' * n}(1 / 3){')^2' * n}",
    "squares of a dim": sized(lambda n: "(" * n + "T" + ")^2" * n),
    "factorial": lambda n: (
        HEAD
        + f"morphism f(0) = 1\nmorphism f(n) = n * f(n - 1)\nmorphism m : Real[D] -> () = linear(f({n})) >> discard"
    ),
    "product of numbers": sized(lambda n: " * ".join(["7"] * n)),
    "product of fractions": lambda n: M + "x => x * (" + " * ".join(["(1 / 3)"] * n) + ")",
    "sum of fractions": lambda n: M + "x => x * (" + " + ".join(f"1 / {i + 2}" for i in range(n)) + ")",
    "sum of dims": lambda n: (
        "dim "
        + ", ".join(f"A{i}" for i in range(n))
        + "\nmorphism m : Real[K: "
        + " + ".join(f"A{i}" for i in range(n))
        + "] -> () = discard"
    ),
    "product of dims": lambda n: (
        "dim "
        + ", ".join(f"A{i}" for i in range(n))
        + "\nmorphism m : Real[K: "
        + " * ".join(f"A{i}" for i in range(n))
        + "] -> () = discard"
    ),
    "products of sums": lambda n: (
        "dim "
        + ", ".join(f"A{i}" for i in range(n))
        + "\nmorphism m : Real[K: "
        + " * ".join(f"(A{i} + {i + 1})" for i in range(n))
        + "] -> () = discard"
    ),
    "power of a sum": sized(lambda n: f"(T + U + H + W)^{n}"),
    "power of a sum written out": sized(lambda n: " * ".join(["(T + U + H + W)"] * n)),
    "power of a power": sized(lambda n: "(" * n + "T + U" + ")^3" * n),
    "floors of sums": sized(lambda n: " + ".join(f"(T + {i}) // {i + 2}" for i in range(n))),
    "floors nested": sized(lambda n: "(" * n + "T" + " + 1) // 2" * n),
    "floors nested by primes": sized(
        lambda n: "(" * n + "T" + "".join(f" + 1) // {(2, 3, 5, 7, 11, 13)[i % 6]}" for i in range(n))
    ),
    "floors by dims": sized(lambda n: "(" * n + "T" + " + 1) // U" * n),
    "floors by themselves": sized(lambda n: "T" + " // (T + 1" * n + ")" * n),
    "floors multiplied": sized(lambda n: " * ".join(f"((T + {i}) // {i + 2})" for i in range(n))),
    "floors to a power": sized(lambda n: f"((T + U) // 7 + (U + H) // 11)^{n}"),
    "quotients": sized(lambda n: "T" + " / 2" * n),
    "quotients by dims": sized(lambda n: "T" + " / U" * n),
    "quotients of powers": sized(lambda n: f"(T^{n} - U^{n}) / (T - U)"),
    "quotients of powers of sums": sized(lambda n: f"(T + U)^{n} / (T + U)"),
    "large lcm": sized(
        lambda n: " + ".join(f"T // {p}" for p in (4, 9, 25, 49, 121, 169, 289, 361, 529) * (n // 9 + 1))
    ),
    "equal by floors": lambda n: (
        HEAD + f"morphism m : Real[K: {' + '.join(f'(T + {i}) // {n}' for i in range(n))}] -> Real[K: T] = id"
    ),
    "equal by floors of dims": lambda n: (
        HEAD + f"morphism m : Real[K: {' + '.join(f'(T + {i} * U) // {n + 2}' for i in range(n))}] -> Real[K: T] = id"
    ),
    "equal by many dims": lambda n: (
        "dim "
        + ", ".join(f"A{i}" for i in range(n))
        + "\nmorphism m : Real[K: "
        + " + ".join(f"A{i} // 2" for i in range(n))
        + "] -> Real[K: "
        + " + ".join(f"(A{i} + 1) // 2" for i in range(n))
        + "] = id"
    ),
    "long word": lambda n: f"dim {'A' * n} = 3\nmorphism m : Real[{'A' * n}] -> Real[{'B' * n}] = relu",
    "long text": lambda n: M + f'rearrange("{"t " * n}-> {"t " * n}")',
    "list": lambda n: M + f"chain([{', '.join(['relu'] * n)}])",
    "list of numbers": lambda n: M + f"linear(sum([{', '.join(['1'] * n)}]))",
    "range": lambda n: M + f"linear(sum(range(10^{n})))",
    "range of lists": lambda n: M + f"linear(len([range(1000) for i in range(10^{n})]))",
    "comprehension of comprehensions": lambda n: M + f"linear(len({'[' * n}i{' for i in range(10)]' * n}))",
    "comprehension over pairs": lambda n: M + f"linear(sum({'[sum(' * n}range(20){') for i in range(20)]' * n}))",
    "lists doubled": lambda n: (
        HEAD
        + "morphism d(0) = [1, 2]\nmorphism d(n) = [d(n - 1), d(n - 1)]\n"
        + f"morphism m : Real[D] -> () = linear(len(d({n}))) >> discard"
    ),
}
