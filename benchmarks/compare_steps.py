"""Time the steps of a checkout by the reference's names alone; started by `benchmarks.compare`.

It is run by that checkout's Python, in its folder, so it uses nothing of this project: what it
measures may be the reference itself. One line of JSON comes out: step -> list of seconds. Hints
that an old interpreter cannot evaluate are in quotes.
"""

import contextlib
import io
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml


def main() -> None:
    """Measure the steps that the request on stdin asks for."""
    request = json.load(sys.stdin)
    times: dict[str, list[float]] = {}
    with contextlib.redirect_stdout(io.StringIO()):
        measure(request, times)
    print(json.dumps(times))


def measure(request: "dict[str, Any]", times: "dict[str, list[float]]") -> None:
    """Fill `times`, step by step."""
    from FaceBoxes.FaceBoxes_ONNX import FaceBoxes_ONNX
    from TDDFA_ONNX import TDDFA_ONNX

    config = yaml.safe_load(Path(request["config"]).read_text())
    threads = request.get("threads")  # of ours: the reference's names take none
    networks = {"num_threads": threads} if threads else {}
    drawing = {"n_threads": threads} if threads else {}
    tddfa = TDDFA_ONNX(**networks, **drawing, **config)
    find = FaceBoxes_ONNX(**networks)
    rounds, folder = request["rounds"], tempfile.mkdtemp()
    now = time.process_time if request.get("cpu") else time.perf_counter

    def clock(name: str, function: "Callable[[], object]", n: int = rounds) -> None:
        function()
        taken = []
        for _ in range(n):
            start = now()
            function()
            taken.append(now() - start)
        times[name] = taken

    for path in request["pictures"]:
        image = np.asarray(cv2.imread(path))
        one_picture(image, find, tddfa, request["faces"], clock, folder, drawing)


def one_picture(
    image: Any,
    find: Any,
    tddfa: Any,
    counts: "list[int]",
    clock: "Callable[..., None]",
    folder: str,
    drawing: "dict[str, int]",
) -> None:
    """Time everything that is done with a picture."""
    size = f"{image.shape[1]}x{image.shape[0]}"
    boxes = find(image)
    clock(f"detection, {size}", lambda: find(image))
    for count in counts if len(boxes) else ():
        several_faces([boxes[i % len(boxes)] for i in range(count)], image, tddfa, clock, size)
    if len(boxes):
        params, rois = tddfa(image, boxes)
        vertices = tddfa.recon_vers(params, rois, dense_flag=True)
        for name, draw in drawers(tddfa, image, params, vertices, folder, drawing):
            clock(f"{name}, {faces(boxes)}, {size}", draw, 5)
        clock(f"whole 3d, {faces(boxes)}, {size}", lambda: whole(image, find, tddfa, drawing), 5)


def several_faces(
    boxes: "list[Any]", image: Any, tddfa: Any, clock: "Callable[..., None]", size: str
) -> None:
    """Time the steps whose cost is the faces'."""
    params, rois = tddfa(image, boxes)
    many = f"{faces(boxes)}, {size}"
    clock(f"regression, {many}", lambda: tddfa(image, boxes))
    clock(f"dense reconstruction, {many}", lambda: tddfa.recon_vers(params, rois, dense_flag=True))
    clock(f"sparse reconstruction, {many}", lambda: tddfa.recon_vers(params, rois))


def whole(image: Any, find: Any, tddfa: Any, drawing: "dict[str, int]") -> None:
    """Do all of ``-o 3d``."""
    from utils.render import render

    params, rois = tddfa(image, find(image))
    vertices = tddfa.recon_vers(params, rois, dense_flag=True)
    render(image, vertices, tddfa.tri, show_flag=False, **drawing)


def faces(boxes: "list[Any]") -> str:
    """Return their number in words."""
    return f"{len(boxes)} face{'' if len(boxes) == 1 else 's'}"


def drawers(
    tddfa: Any, image: Any, params: Any, vertices: Any, folder: str, drawing: "dict[str, int]"
) -> "Iterator[tuple[str, Callable[[], object]]]":
    """Yield every drawing and writing function, ready to be called."""
    from utils.depth import depth
    from utils.pncc import pncc
    from utils.pose import viz_pose
    from utils.render import render
    from utils.serialization import ser_to_obj, ser_to_ply
    from utils.uv import uv_tex

    tri, height = tddfa.tri, image.shape[0]
    yield "render", lambda: render(image, vertices, tri, show_flag=False, **drawing)
    yield "depth", lambda: depth(image, vertices, tri, show_flag=False, **drawing)
    yield "pncc", lambda: pncc(image, vertices, tri, show_flag=False, **drawing)
    yield "uv_tex", lambda: uv_tex(image, vertices, tri, show_flag=False, **drawing)
    yield "pose", lambda: viz_pose(image.copy(), params, vertices, show_flag=False)
    yield "ply", lambda: ser_to_ply(vertices, tri, height=height, wfp=folder + "/a.ply")
    yield "obj", lambda: ser_to_obj(image, vertices, tri, height=height, wfp=folder + "/a.obj")


if __name__ == "__main__":
    main()
