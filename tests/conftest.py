"""Fixtures for the reference material that lies beside the checkout, where it is present."""

import os
from pathlib import Path

import pytest

from tddfa import Config, load_config
from tddfa.pipeline import Pipeline

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


@pytest.fixture(scope="session")
def project_root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder with golden arrays and the reference's assets; skips the test where it is absent."""
    if not (SHARED / "golden").is_dir():
        reason = "reference material ../shared is absent"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}, but in CI these tests must run")
        pytest.skip(reason)
    return SHARED


@pytest.fixture(scope="session")
def golden(shared: Path) -> Path:
    return shared / "golden"


@pytest.fixture(scope="session")
def upstream(shared: Path) -> Path:
    """Asset folder in the reference's layout: configs/, weights/, images/."""
    return shared / "upstream"


@pytest.fixture(scope="session")
def config(project_root: Path, upstream: Path) -> Config:
    """Configuration of the reference's x0.5 weights."""
    return load_config(project_root / "configs" / "reference_mb05.yml", upstream)


@pytest.fixture(scope="session")
def pipeline(config: Config) -> Pipeline:
    """Detector and aligner on ONNX Runtime."""
    return Pipeline.from_config(config, onnx=True)
