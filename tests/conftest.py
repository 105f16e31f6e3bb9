"""What all tests share."""

import os

import pytest
from hypothesis import settings

# Two busy cores make any deadline flaky. The examples are the same each time, so that what has passed passes again;
# with CATDL_EXPLORE set they are drawn anew.
settings.register_profile("catdl", deadline=None, derandomize="CATDL_EXPLORE" not in os.environ)
settings.load_profile("catdl")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden` writes the expected reports of tests/check anew."""
    parser.addoption("--update-golden", action="store_true", help="write the golden reports anew")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden reports are to be written."""
    return bool(request.config.getoption("--update-golden"))
