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
