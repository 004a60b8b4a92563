"""What the model must reach on photographs; needs ../shared and the package mediapipe."""

import importlib.util
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from training.face_model.measure import MODEL, eyelids, load_model, scenes
from training.face_model.mediapipe_points import detect, scene_crops

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("mediapipe") is None, reason="package mediapipe is absent"
)
# Looked at: both eyes are shut. None of them served to place the model's points.
SHUT = (
    "ytf/02302", "ytf/04456", "ytf/03983", "ytf/01814", "ytf/05513", "ytf/00940", "ytf/02986",
    "ytf/02558", "ytf/04328", "ytf/04757", "ytf/00134", "ytf/05248", "ytf/03939", "ytf/01272",
    "ytf/05108", "ytf/02854",
)  # fmt: skip


def test_fit_to_mediapipe_and_to_the_annotation(shared: Path, tmp_path: Path) -> None:
    detect(islice(scene_crops(shared / "scenes"), 0, 1500, 25), tmp_path / "p.npz")
    figures = scenes(load_model(MODEL), MODEL, tmp_path / "p.npz", shared / "scenes")
    assert figures["fit_68"] <= 1.5
    assert figures["keypoints_anatomical_51"] <= 1.2 * figures["mediapipe_51"]


def test_shut_eyes_are_shut(shared: Path, tmp_path: Path) -> None:
    names = [f"{n}.webp" for n in SHUT]
    crops = ((n, cv2.imread(str(shared / "faces" / n)), 0.0, 0.0, 168.0) for n in names)
    detect(crops, tmp_path / "p.npz")
    ratio = eyelids(load_model(MODEL), MODEL, tmp_path / "p.npz", names, len(names))
    assert np.mean(ratio) < 0.15
    assert np.mean(ratio.max(1) < 0.15) >= 0.8
