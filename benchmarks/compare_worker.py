"""Time steps of one checkout by the reference's names; `benchmarks.compare` drives it.

Run by path, with the checkout's interpreter: it imports nothing of this repository but what the
checkout itself has. Answers are lines of JSON; what the checkout prints goes to standard error.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

Steps = dict[str, Callable[[], Any]]


def load(folder: str, config: str | None) -> tuple[Any, Any]:
    """Return detector and aligner of the checkout, on ONNX Runtime."""
    sys.path.insert(0, folder)
    import yaml

    from FaceBoxes.FaceBoxes_ONNX import FaceBoxes_ONNX
    from TDDFA_ONNX import TDDFA_ONNX

    path = Path(folder, config or "configs/mb1_120x120.yml")
    return FaceBoxes_ONNX(), TDDFA_ONNX(**yaml.safe_load(path.read_text(encoding="utf-8")))


def steps(folder: str, settings: dict[str, Any]) -> Steps:
    """Return what can be timed, by name, in the table's order."""
    import cv2
    import numpy as np

    detector, aligner = load(folder, settings["configs"].get(folder))
    from utils.depth import depth
    from utils.pncc import pncc
    from utils.pose import viz_pose
    from utils.render import render
    from utils.serialization import ser_to_obj, ser_to_ply
    from utils.uv import uv_tex

    image: Any = cv2.imread(settings["picture"])
    if image is None:
        raise ValueError("the picture cannot be read")
    boxes = detector(image)
    if not len(boxes):
        raise ValueError("no face found in the picture")
    params, rois = aligner(image, boxes)
    dense = aligner.recon_vers(params, rois, dense_flag=True)
    sparse = aligner.recon_vers(params, rois, dense_flag=False)
    tri, height, scratch = aligner.tri, image.shape[0], settings["scratch"]
    stem = str(Path(scratch, f"{os.getpid()}"))
    steps: Steps = {"detection": lambda: detector(image)}

    def alignment(image: Any, boxes: Any) -> Callable[[], Any]:
        return lambda: aligner(image, boxes)

    def reconstruction(n: int, dense: bool) -> Callable[[], Any]:
        many = ((params * n)[:n], (rois * n)[:n])
        return lambda: aligner.recon_vers(*many, dense_flag=dense)

    params, rois = list(params), list(rois)
    counts = (1, 2, 4, 8, 16, 32) if settings["growth"] else (1, 3, 8)
    for n in counts:
        faces = (list(boxes) * n)[:n]
        steps[f"alignment, {n} faces"] = alignment(image, faces)
        steps[f"dense reconstruction, {n} faces"] = reconstruction(n, True)
        steps[f"sparse reconstruction, {n} faces"] = reconstruction(n, False)
    steps |= {
        "render": lambda: render(image, dense, tri, alpha=0.6, show_flag=False),
        "depth": lambda: depth(image, dense, tri, show_flag=False, with_bg_flag=True),
        "pncc": lambda: pncc(image, dense, tri, show_flag=False, with_bg_flag=True),
        "uv_tex": lambda: uv_tex(image, dense, tri, show_flag=False),
        "pose": lambda: viz_pose(image.copy(), params, sparse, show_flag=False),
        "ply": lambda: ser_to_ply(dense, tri, height, stem + ".ply"),
        "obj": lambda: ser_to_obj(image, dense, tri, height, stem + ".obj"),
    }

    def whole() -> None:
        found = aligner(image, detector(image))
        render(image, aligner.recon_vers(*found, dense_flag=True), tri, show_flag=False)

    steps["whole 3d"] = whole
    if settings["growth"]:
        for megapixels in (0.3, 1, 3, 12, 48):
            scale = (megapixels * 1e6 / (image.shape[0] * image.shape[1])) ** 0.5
            large = cv2.resize(image, None, fx=scale, fy=scale)
            scaled = [np.asarray(box[:4]) * scale for box in boxes]
            shapes = aligner.recon_vers(*aligner(large, scaled), dense_flag=True)
            steps[f"detection, {megapixels} MP"] = partial(detector, large)
            steps[f"render, {megapixels} MP"] = partial(render, large, shapes, tri, show_flag=False)
    return steps


def main() -> int:
    """Answer each line with the seconds that the step it names took."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # demos and drawing functions may print
    folder, settings = sys.argv[1], json.loads(sys.argv[2])

    def answer(**values: Any) -> None:
        answers.write(json.dumps(values) + "\n")
        answers.flush()

    try:
        known = steps(folder, settings)
    except Exception as error:
        answer(fatal=f"{type(error).__name__}: {error}".splitlines()[0])
        return 1
    answer(steps=list(known))
    for line in sys.stdin:
        call = known[line.strip()]
        try:
            start = time.perf_counter()
            call()
            answer(seconds=time.perf_counter() - start)
        except Exception as error:
            answer(error=f"{type(error).__name__}: {error}".splitlines()[0])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
