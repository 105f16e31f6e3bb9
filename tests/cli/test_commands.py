"""The commands: what they print, where, and how they exit."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from catdl import diagnostics as wrong
from catdl.cli import catdl, main, report
from catdl.source import Source, Span

GOOD = "dim D = 3\n\nmorphism f : Real[D] -> Real[D] = relu\n\nmorphism g : Real[D] -> Real[2] = f >> linear(2)\n"
BAD = "dim D = 3\n\nmorphism f : Real[D] -> Real[D] = rleu\n"
HIGHER = "morphism twice[X](f : X -> X) : X -> X = f >> f\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in (("good.cat", GOOD), ("bad.cat", BAD), ("higher.cat", HIGHER)):
        Path(name).write_text(text)
    return tmp_path


def call(*arguments: str, stdin: bytes = b"") -> Result:
    return CliRunner().invoke(catdl, arguments, input=stdin, catch_exceptions=False)


def test_check_a_good_file(folder: Path) -> None:
    result = call("check", "good.cat")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "no mistakes in 1 file\n", "")


def test_check_says_what_is_wrong_and_where(folder: Path) -> None:
    result = call("check", "good.cat", "bad.cat", "bad.cat")
    assert result.exit_code == 1
    assert "error[E0101]: there is no morphism called `rleu`\n --> bad.cat:3:35\n" in result.stdout
    assert "did you mean `relu`?" in result.stdout
    assert result.stdout.endswith("\n\n1 error in 2 files\n")
    assert "\x1b" not in result.stdout


def test_check_as_json(folder: Path) -> None:
    result = call("check", "bad.cat", "--format", "json")
    document = json.loads(result.stdout)
    assert (result.exit_code, document["errors"]) == (1, 1)
    assert document["diagnostics"][0]["span"]["start"] == {"line": 3, "column": 35, "offset": 45}
    assert json.loads(call("check", "good.cat", "--format", "json").stdout)["diagnostics"] == []


def test_compile_says_which_rewrites_were_done(folder: Path) -> None:
    result = call("compile", "good.cat", "-o", "out.py", "--explain")
    assert (result.exit_code, result.stdout) == (0, "no rewrite applies\n")
    result = call("compile", "good.cat", "-o", "-", "--explain")
    assert "class G(nn.Module)" in result.stdout and result.stderr == "no rewrite applies\n"


FOLDS = """dim T, A = 3
functor Words(X) = () + Real[A] @ X
algebra total : Words(Real[A]) -> Real[A] = [ zeros | add ]

morphism sums : Real[T, A] -> Real[A] = fold[T](total)
"""


def test_explain_names_the_rewrite_its_place_and_its_law(folder: Path) -> None:
    Path("folds.cat").write_text(FOLDS)
    result = call("compile", "folds.cat", "sums", "-o", "out.py", "--explain")
    lines = result.stdout.splitlines()
    assert result.exit_code == 0, result.output
    assert lines[0] == "monoid: fold[T] is a sum"
    assert lines[1].strip().startswith("where: folds.cat:3:")
    assert "folds of a commutative monoid" in lines[2] and "up to rounding" in lines[2]
    assert ".sum(-2)" in Path("out.py").read_text()


def test_check_standard_input() -> None:
    assert call("check", "-", stdin=GOOD.encode()).exit_code == 0
    result = call("check", "-", stdin=BAD.encode())
    assert result.exit_code == 1
    assert " --> <stdin>:3:35\n" in result.stdout


@pytest.mark.parametrize("data", [b"", b"\n", b"\xef\xbb\xbf", GOOD.replace("\n", "\r\n").encode(), GOOD[:-1].encode()])
def test_texts_that_are_fine(data: bytes) -> None:
    assert call("check", "-", stdin=data).exit_code == 0


@pytest.mark.parametrize(
    "data", [b"\x00", b"dim D = \xff", b"\xff\xfe", b"dim", b"\xef\xbb\xbfdim D = ", b"((((", b"\r", os.urandom(300)]
)
def test_texts_that_are_not(data: bytes) -> None:
    result = call("check", "-", stdin=data)
    assert result.exit_code == (0 if data == b"\r" else 1)
    assert "Traceback" not in result.output


def test_files_that_cannot_be_read(folder: Path) -> None:
    for name in ("none.cat", ".", "good.cat/x"):
        result = call("check", name)
        assert result.exit_code == 1
        assert result.stdout.startswith(f"error[E0801]: cannot read `{name}`: ")


@pytest.mark.parametrize(
    "arguments",
    [("check",), ("chek", "good.cat"), ("check", "--format", "xml", "good.cat"), ("compile", "good.cat"),
     ("run", "good.cat", "f", "--input", "x.npy", "-o", "y.txt"), ("run", "good.cat")],
)  # fmt: skip
def test_wrong_use(arguments: tuple[str, ...]) -> None:
    result = call(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Error: " in result.stderr


def test_help() -> None:
    assert "check" in call("--help").stdout
    for name in ("check", "compile", "show", "run"):
        result = call(name, "--help")
        assert result.exit_code == 0
        assert result.stdout.startswith(f"Usage: catdl {name} ")


def test_compile_writes_python(folder: Path) -> None:
    assert call("compile", "good.cat", "g", "-o", "g.py").exit_code == 0
    text = Path("g.py").read_text()
    compile(text, "g.py", "exec")
    assert call("compile", "good.cat", "g", "-o", "-").stdout == text
    assert call("compile", "-", "g", "-o", "-", stdin=GOOD.encode()).stdout == text
    assert call("compile", "good.cat", "-o", "all.py").exit_code == 0


def test_compile_never_over_the_spec(folder: Path) -> None:
    Path("link.py").symlink_to("good.cat")
    for name in ("good.cat", "link.py"):
        result = call("compile", "good.cat", "-o", name)
        assert result.exit_code == 1
        assert result.stderr.startswith("error[E0803]")
    assert Path("good.cat").read_text() == GOOD


def test_compile_never_over_an_import(folder: Path) -> None:
    Path("user.cat").write_text("from good import f\n\nmorphism h = f >> f\n")
    assert call("compile", "user.cat", "-o", "good.cat").exit_code == 1
    assert Path("good.cat").read_text() == GOOD


def test_compile_of_what_is_wrong_writes_nothing(folder: Path) -> None:
    for arguments, code in (
        (("bad.cat",), "E0101"),
        (("good.cat", "F"), "E0809"),
        (("higher.cat", "twice"), "E0811"),
        (("higher.cat",), "E0809"),
    ):
        result = call("compile", *arguments, "-o", "out.py")
        assert result.exit_code == 1
        assert result.stderr.startswith(f"error[{code}]")
        assert result.stdout == ""
    assert not Path("out.py").exists()


def test_show(folder: Path) -> None:
    result = call("show", "good.cat", "g")
    assert result.exit_code == 0
    assert "linear.weight" in result.stdout
    assert "f :" in call("show", "good.cat").stdout


def test_run(folder: Path) -> None:
    data = np.array([[1.0, -2.0, 3.0]] * 4)
    np.save("x.npy", data)
    assert call("run", "good.cat", "f", "--input", "x.npy", "-o", "y.npy").exit_code == 0
    np.testing.assert_array_equal(np.load("y.npy"), np.maximum(data, 0))
    np.savez("x.npz", x=data)
    assert call("run", "good.cat", "f", "--input", "x.npz", "-o", "y.npz").exit_code == 0
    np.testing.assert_array_equal(np.load("y.npz")["y"], np.maximum(data, 0))


def test_run_names_what_comes_out(folder: Path) -> None:
    """By the ports of the record, and by its place what has no name."""
    record = "(x: Real[D], y: Real[D]) -> (u: Real[D], v: Real[D]) = (x, y) => (v = y, u = x)"
    plain = "(x: Real[D], y: Real[D]) -> Real[D] @ Real[D] = (x, y) => (y, x)"
    Path("two.cat").write_text(f"dim D = 3\nmorphism h : {record}\nmorphism k : {plain}\n")
    np.savez("x.npz", x=np.zeros(3), y=np.ones(3))
    for name, first, second in (("h", "u", "v"), ("k", "y1", "y0")):
        assert call("run", "two.cat", name, "--input", "x.npz", "-o", "y.npz").exit_code == 0
        with np.load("y.npz") as found:
            assert sorted(found) == sorted((first, second))
            assert (found[first] == 0).all()
            assert (found[second] == 1).all()


def test_run_with_weights(folder: Path) -> None:
    import torch
    from safetensors.torch import save_file

    np.save("x.npy", np.ones((1, 3)))
    save_file({"linear.weight": torch.ones(2, 3), "linear.bias": torch.zeros(2)}, "w.safetensors")
    result = call("run", "good.cat", "g", "--input", "x.npy", "-o", "y.npy", "--weights", "w.safetensors")
    assert (result.exit_code, result.output) == (0, "")
    np.testing.assert_array_equal(np.load("y.npy"), [[3.0, 3.0]])
    save_file({"linear.weight": torch.ones(2, 3)}, "short.safetensors")
    result = call("run", "good.cat", "g", "--input", "x.npy", "-o", "z.npy", "--weights", "short.safetensors")
    assert result.exit_code == 1
    assert "linear.bias" in result.stderr
    assert not Path("z.npy").exists()


def test_run_on_data_that_does_not_fit(folder: Path) -> None:
    np.save("x.npy", np.ones((4, 5)))
    np.save("text.npy", np.array(["a"]))
    np.savez("two.npz", a=np.ones(3), b=np.ones(3))
    Path("torn.npz").write_bytes(Path("two.npz").read_bytes()[:40])
    for name, code in (
        ("x.npy", "E0810"), ("text.npy", "E0810"), ("two.npz", "E0810"),
        ("good.cat", "E0801"), ("torn.npz", "E0801"), ("none.npy", "E0801"), (".", "E0801"),
    ):  # fmt: skip
        result = call("run", "good.cat", "f", "--input", name, "-o", "y.npy")
        assert result.exit_code == 1, name
        assert result.stderr.startswith(f"error[{code}]"), name
    assert not Path("y.npy").exists()


def test_run_converts_what_loses_nothing_and_refuses_the_rest(folder: Path) -> None:
    Path("k.cat").write_text(
        "dim T\ndim D = 3\nmorphism f : Real[D] -> Real[D] = relu\n"
        "dim E = 5\nmorphism g : Fin(E) -> Probs(E)[E] = one_hot[E]\n"
        "morphism h : (x: Real[T], i: Fin(T)) -> Real = (x, i) => gather[T](x, i)\n"
        "morphism c : () -> Real[D] = values[D]([1, 2, 3])\n"
    )
    np.save("whole.npy", np.array([[1, 2, 3]], dtype=np.uint8))
    np.save("x.npy", np.ones((2, 3)))
    np.save("i.npy", np.array([0, 4]))
    np.save("out.npy", np.array([0, 5]))
    np.save("below.npy", np.array([0, -1]))
    np.savez("wrong.npz", y=np.ones(3))
    np.savez("pair.npz", x=np.ones((2, 3)), i=np.array([2, 3]))

    def run(name: str, *data: str) -> Result:
        given = ("--input", *data) if data else ()
        return call("run", "k.cat", name, *given, "-o", "y.npy")

    assert run("f", "whole.npy").exit_code == 0
    assert np.load("y.npy").dtype == np.float32
    assert run("g", "i.npy").exit_code == 0
    assert run("c").exit_code == 0
    np.testing.assert_array_equal(np.load("y.npy"), [1, 2, 3])
    for name, data, words in (
        ("g", "x.npy", "input x is Fin(5), and an array of float64 is not"),
        ("g", "out.npy", "input x holds 5, which is no Fin(5)"),
        ("g", "below.npy", "input x holds -1, which is no Fin(5)"),
        ("h", "pair.npz", "input i holds 3, which is no Fin(T)"),
        ("f", "wrong.npz", "it holds the arrays y; an .npz with x is needed"),
        ("c", "x.npy", "the morphism takes no input"),
    ):
        result = run(name, data)
        assert (result.exit_code, result.stderr[:12]) == (1, "error[E0810]"), result.stderr
        assert words in " ".join(result.stderr.split()), result.stderr
    assert run("f").exit_code == 2


def test_a_module_of_another_package_that_fails(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(folder))
    Path("catdl_test_pack.py").write_text(
        "from torch import nn\n\nclass Good(nn.Linear):\n    def __init__(self):\n        super().__init__(4, 3)\n\n"
        "class Bad(nn.Module):\n    def __init__(self):\n        raise RuntimeError('no weights')\n"
    )
    np.save("x.npy", np.ones((4, 4)))
    for target, command, words in (
        ("catdl_test_none:X", "compile", "`catdl_test_none` cannot be imported"),
        ("catdl_test_pack:Gone", "compile", "`catdl_test_pack` has no `Gone`"),
        ("catdl_test_pack:Bad", "run", "`catdl_test_pack.Bad` raises RuntimeError: no weights"),
        ("catdl_test_pack:Good", "run", "f: the output must be [..., 12], got (4, 3)"),
    ):
        Path("e.cat").write_text(f'extern morphism f : Real[4] -> Real[12] = python("{target}")\n')
        data = ("--input", "x.npy") if command == "run" else ()
        result = call(command, "e.cat", "f", *data, "-o", "y.npy", "--allow", target.partition(":")[0])
        assert result.exit_code == 1
        assert words in " ".join(result.stderr.split()), result.stderr
        assert ("e.cat:1:43" in result.stderr) == (target != "catdl_test_pack:Good")


def test_a_failure_of_catdl_is_told_in_two_lines(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise RecursionError("deep\nwater")

    monkeypatch.setattr("catdl.driver.load", broken)
    monkeypatch.setattr(sys, "argv", ["catdl", "check", "good.cat"])
    monkeypatch.delenv("CATDL_TRACEBACK", raising=False)
    with pytest.raises(SystemExit) as left:
        main()
    text = capsys.readouterr().err
    assert left.value.code == 70
    assert text.startswith("catdl: internal error: RecursionError at test_commands.py:")
    assert text.count("\n") == 2


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("environment", "colour"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_colour_only_on_a_terminal_that_wants_it(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], colour: bool
) -> None:
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {**environment, "COLUMNS": "50"}.items():
        monkeypatch.setenv(name, value)
    mistake = wrong.UnknownName(Span(Source("m.cat", "x" * 99), 0, 1), "x", "morphism")
    terminal, pipe = Terminal(), io.StringIO()
    report.write([mistake], terminal)
    report.write([mistake], pipe)
    assert ("\x1b[" in terminal.getvalue()) == colour
    assert "\x1b[" not in pipe.getvalue()
    assert "x" * 90 in pipe.getvalue()
    assert "x" * 50 not in terminal.getvalue()
    report.write([mistake], wished := io.StringIO(), "always")
    report.write([mistake], quiet := Terminal(), "never")
    assert "\x1b[" in wished.getvalue() and "\x1b[" not in quiet.getvalue()


def test_check_needs_neither_torch_nor_numpy(folder: Path) -> None:
    program = (
        "import sys\nfrom catdl.cli import main\nsys.argv = ['catdl', 'check', 'good.cat', 'bad.cat']\n"
        "try:\n    main()\nexcept SystemExit as left:\n    assert left.code == 1\n"
        "assert not {'torch', 'numpy', 'networkx'} & set(sys.modules), sorted(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_output_that_cannot_be_encoded(folder: Path) -> None:
    Path("wide.cat").write_text("dim 宽 = nix\n", encoding="utf-8")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "catdl", "check", "wide.cat"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr) == (1, "")
    assert "\\u5bbd" in done.stdout
