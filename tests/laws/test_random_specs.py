"""Random well-typed specs are sound: clean, printed and read alike, and computed alike by interpreter and module."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings

from tests.laws.agreement import sound
from tests.laws.generate import Spec, well_typed


@settings(max_examples=80, suppress_health_check=list(HealthCheck))
@given(well_typed())
def test_random_specs_are_sound(spec: Spec) -> None:
    """See `agreement.sound`."""
    sound(spec, every=False)


def test_the_gradient_of_one_sample_with_its_channels_last() -> None:
    """`nn.InstanceNorm2d` of torch 2.13 has a wrong one, where what comes after it is frozen."""
    layers = "morphism m1 : Real[A, B, T] -> Real[A, B, T] = linear[A](A) >> tanh"
    whole = "morphism f : Real[A, B, T] -> Real[A, B, T] = instancenorm(eps = 0.1, affine = true) >> m1{**: frozen}"
    sound(Spec([layers, whole], {"T": 4}), every=False)
