"""Time a tracker on given frames; started by `benchmarks.compare`, in MediaPipe's Python, too.

``compare_tracking.py WHICH FRAMES.npy MODEL``: ``ours`` with a configuration, MediaPipe's ``task``,
or its older ``mesh``, which is the faster of the two and brings its own model.
"""

import importlib
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

Step = Callable[[int, Any], object]


def main() -> None:
    """Print the seconds of each frame but the first ten, as JSON."""
    which, frames, model = sys.argv[1:4]
    step = {"ours": ours, "task": mediapipe_task, "mesh": mediapipe_mesh}[which](model)
    taken = []
    for number, image in enumerate(np.load(frames, mmap_mode="r")):
        image = np.ascontiguousarray(image)
        start = time.perf_counter()
        step(number, image)
        taken.append(time.perf_counter() - start)
    print(json.dumps(taken[10:]))


def ours(config: str) -> Step:
    """Return our tracker."""
    from tddfa.config import load_config
    from tddfa.face_aligner import FaceAligner
    from tddfa.network_files import tracking_precision
    from tddfa.tracking.tracker import FaceTracker

    networks = FaceAligner(config, threads=1, precision=tracking_precision(load_config(config)))
    tracker = FaceTracker(networks.tracking_detector, networks.aligner, None, networks.check)
    return lambda number, image: tracker(image)


def mediapipe_task(task: str) -> Step:
    """Return MediaPipe's face landmarker in its video mode."""
    mp = importlib.import_module("mediapipe")  # only its own environment has it

    vision = mp.tasks.vision
    options = vision.FaceLandmarkerOptions(
        base_options=mp.tasks.BaseOptions(model_asset_path=task),
        running_mode=vision.RunningMode.VIDEO,
        num_faces=1,
    )
    landmarker = vision.FaceLandmarker.create_from_options(options)

    def step(number: int, image: Any) -> None:
        rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        picture = mp.Image(image_format=mp.ImageFormat.SRGB, data=rgb)
        landmarker.detect_for_video(picture, 33 * number)

    return step


def mediapipe_mesh(_: str) -> Step:
    """Return MediaPipe's older face mesh, which follows its own points from frame to frame."""
    mp = importlib.import_module("mediapipe")
    mesh = mp.solutions.face_mesh.FaceMesh(max_num_faces=1)
    return lambda number, image: mesh.process(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))


if __name__ == "__main__":
    main()
