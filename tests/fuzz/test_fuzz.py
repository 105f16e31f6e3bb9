"""No text makes a command crash, hang or swell; a short run of what `benchmarks/fuzz.py` runs for long.

That one also holds the seconds that are promised. Here other tests run beside, and only what takes far longer fails.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catdl.diagnostics.text import render
from catdl.driver import loads
from tests.fuzz import worker
from tests.fuzz.cases import GENERATORS, generated, grown_families
from tests.fuzz.families import FAMILIES
from tests.fuzz.pool import Case, Worker, minimised, run_all


def all_end_well(cases: Iterable[Case]) -> None:
    failed = [found for found in run_all(replace(case, slack=10) for case in cases) if found.status != "ok"]
    assert not failed, minimised(failed[0], tries=60)


def test_generated_texts() -> None:
    all_end_well(generated(seed=0, start=0, count=400))


def test_families() -> None:
    all_end_well(grown_families((20,), whole=False, commands=("check",)))


@pytest.mark.parametrize("make", GENERATORS.values(), ids=GENERATORS)
def test_any_text(make: Callable[[Random], bytes]) -> None:
    @given(st.randoms(use_true_random=False))
    @settings(max_examples=25)
    def check(random: Random) -> None:
        text = make(random).decode("utf-8", "surrogateescape")
        assert isinstance(render(loads(text).diagnostics), str)

    check()


LIMITS = {
    "chain of copy": (99, "steps"),
    "equations of numbers": (40, "steps"),
    "range of lists": (4, "steps"),
    "equations that double": (20, "10 000"),
    "power of an object": (30, "wires"),
    "axes": (99, "axes"),
    "chain of concat": (99, "value of a size"),
    "power of a sum": (65, "exponent"),
    "squares of a dim": (7, "degree"),
    "dims from free dims": (7, "value of a size"),
    "product of numbers": (1000, "a number"),
    "squares of a fraction": (20, "a number"),
    "repeat nested with weights": (20, "parameters"),
    "morphisms in a row with weights": (30, "parameters"),
    "syntax errors": (1000, "mistakes"),
    "names unknown": (900, "mistakes"),
    "parentheses": (1000, "deep"),
}


@pytest.mark.parametrize("name", LIMITS)
def test_limits_name_themselves(name: str) -> None:
    size, words = LIMITS[name]
    told = [mistake.parts().message for mistake in loads(FAMILIES[name](size)).diagnostics]
    assert any(words in message for message in told), told[-2:]


def test_a_worker_goes_on_after_a_death() -> None:
    pool = Worker()
    try:
        assert pool.run(Case("good", b"dim D\n")).code == 0
        assert pool.run(Case("wrong", b"dim D, D\n")).code == 1
        assert pool.run(Case("no command", b"", ("none",))).status == "dead"
        assert pool.run(Case("good", b"dim D\n")).status == "ok"
    finally:
        pool.close()


def endless(path: str) -> list[str]:
    while True:
        pass


def bursting(path: str) -> list[str]:
    raise MemoryError


def crashing(path: str) -> list[str]:
    return [path[1_000_000]]


@pytest.mark.parametrize(("work", "status"), [(endless, "slow"), (bursting, "memory"), (crashing, "crash")])
def test_a_worker_sees_what_fails(
    work: Callable[[str], list[str]], status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a run without failures would prove nothing."""
    monkeypatch.setitem(worker.COMMANDS, "work", work)
    before = signal.signal(signal.SIGPROF, worker.out_of_time)
    try:
        found = worker.run("work", "case.cat", 0.1)
    finally:
        signal.signal(signal.SIGPROF, before)
    assert found["status"] == status
    assert work.__name__ in found["where"]


def test_cases_are_the_same_every_time() -> None:
    first, again = (list(generated(seed=3, start=40, count=8)) for _ in range(2))
    assert first == again
    assert first[0].text != first[4].text
