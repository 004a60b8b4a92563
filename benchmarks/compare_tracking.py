"""Time a tracker on given frames; started by `benchmarks.compare`, in MediaPipe's Python, too.

``compare_tracking.py ours FRAMES.npy CONFIG`` or ``compare_tracking.py mediapipe FRAMES.npy TASK``
"""

import json
import sys
import time

import numpy as np


def main():  # type: ignore[no-untyped-def]
    """Print the seconds of each frame but the first ten, as JSON."""
    which, frames, model = sys.argv[1:4]
    step = {"ours": ours, "mediapipe": mediapipe}[which](model)
    taken = []
    for number, image in enumerate(np.load(frames, mmap_mode="r")):
        image = np.ascontiguousarray(image)
        start = time.perf_counter()
        step(number, image)
        taken.append(time.perf_counter() - start)
    print(json.dumps(taken[10:]))


def ours(config):  # type: ignore[no-untyped-def]
    """Return our tracker."""
    from tddfa.config import load_config
    from tddfa.face_aligner import FaceAligner
    from tddfa.network_files import tracking_precision
    from tddfa.tracking.tracker import FaceTracker

    networks = FaceAligner(config, threads=1, precision=tracking_precision(load_config(config)))
    tracker = FaceTracker(networks.tracking_detector, networks.aligner)
    return lambda number, image: tracker(image)


def mediapipe(task):  # type: ignore[no-untyped-def]
    """Return MediaPipe's face landmarker in its video mode."""
    import mediapipe as mp  # type: ignore[import-not-found, unused-ignore]

    vision = mp.tasks.vision
    options = vision.FaceLandmarkerOptions(
        base_options=mp.tasks.BaseOptions(model_asset_path=task),
        running_mode=vision.RunningMode.VIDEO,
        num_faces=1,
    )
    landmarker = vision.FaceLandmarker.create_from_options(options)

    def step(number, image):  # type: ignore[no-untyped-def]
        rgb = np.ascontiguousarray(image[..., ::-1])
        picture = mp.Image(image_format=mp.ImageFormat.SRGB, data=rgb)
        landmarker.detect_for_video(picture, 33 * number)

    return step


if __name__ == "__main__":
    main()
