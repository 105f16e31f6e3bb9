"""What `make demo` runs: check a network, see an error, compile, train.

Every step is a command a user could type; it is shown, then run, and its exit status is compared with the right one.
"""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
SCRIPTS = Path(sys.executable).parent
GENERATED = Path("build", "digits.py")


def say(text: str) -> None:
    """One heading; flushed, so that it stands before what the command prints."""
    print(f"\n== {text}\n", flush=True)


def run(*command: str, expected: int = 0) -> None:
    """Shows and runs a command of this environment in the root of the repository."""
    print("$", *command, flush=True)
    program, *arguments = command
    status = subprocess.run([SCRIPTS / program, *arguments], cwd=ROOT, check=False).returncode
    if status != expected:
        sys.exit(f"demo: `{' '.join(command)}` exited with {status}, not {expected}")


def main() -> None:
    """The tour, about half a minute."""
    say("A network, in three lines, and how it is trained")
    print((ROOT / "examples" / "digits.cat").read_text(encoding="utf-8"))
    run("catdl", "check", "examples/digits.cat")

    say("The same with a mistake that PyTorch would run without a word")
    run("catdl", "check", "examples/digits_broken.cat", expected=1)

    say("What it holds")
    run("catdl", "show", "examples/digits.cat", "mlp")

    say("Compiled to PyTorch")
    (ROOT / GENERATED).parent.mkdir(exist_ok=True)
    shutil.rmtree(ROOT / "build" / "digits", ignore_errors=True)
    run("catdl", "compile", "examples/digits.cat", "mlp", "-o", GENERATED.as_posix())
    print("\n" + (ROOT / GENERATED).read_text(encoding="utf-8"))

    say("Trained on real digits")
    run("catdl", "train", "examples/digits.cat", "-o", "build/digits")

    say(f"Done. The generated code is in {GENERATED.as_posix()}; it is yours to read, keep and change.")


if __name__ == "__main__":
    main()
