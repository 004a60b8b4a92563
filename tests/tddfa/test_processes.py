"""One object used by many threads, and by processes that were spawned or forked."""

import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import cv2
import numpy as np
import pytest
import yaml

from FaceBoxes.FaceBoxes_ONNX import FaceBoxes_ONNX
from Sim3DR.lighting import RenderPipeline
from tddfa.arguments import DEFAULT_CONFIG
from tddfa.io.pictures import imread
from TDDFA_ONNX import TDDFA_ONNX


@pytest.fixture(scope="module")
def pictures(project_root):
    portrait = imread(project_root / "examples" / "inputs" / "astronaut.png")[:300, 80:380]
    turned = cv2.rotate(portrait, cv2.ROTATE_90_CLOCKWISE)
    small = cv2.resize(portrait, None, fx=0.7, fy=0.7)
    return [portrait, portrait[:, ::-1].copy(), small, portrait[20:], np.zeros_like(small), turned]


@pytest.fixture(scope="module")
def settings(project_root):
    return yaml.safe_load((project_root / DEFAULT_CONFIG).read_text())


def aligned(tddfa, detector, picture):
    boxes = detector(picture)
    params, rois = tddfa(picture, boxes)
    return [*params, *np.reshape(rois, (-1, 4)), *tddfa.recon_vers(params, rois, dense_flag=True)]


def detected(detector, picture):
    return [np.array(detector(picture))]


def shaded(pipeline, faces, picture):
    out = picture.copy()
    for face in faces:
        pipeline(face.vertices.T, face.triangles, out)
    return [out, *(pipeline.shade(face.vertices.T, face.triangles) for face in faces)]


def found(aligner, picture):
    faces = aligner(picture)
    return [np.append(face.param, face.box) for face in faces] + [face.vertices for face in faces]


@pytest.mark.parametrize("what", ["TDDFA_ONNX", "FaceBoxes_ONNX", "RenderPipeline", "FaceAligner"])
def test_eight_threads_give_what_one_gives(what, settings, pipeline, pictures):
    detector = FaceBoxes_ONNX()
    work = {
        "TDDFA_ONNX": lambda: partial(aligned, TDDFA_ONNX(**settings), detector),
        "FaceBoxes_ONNX": lambda: partial(detected, detector),
        "RenderPipeline": lambda: partial(shaded, RenderPipeline(), pipeline(pictures[0])),
        "FaceAligner": lambda: partial(found, pipeline),
    }[what]()
    alone = [work(picture) for picture in pictures]
    assert any(np.size(array) for array in alone[0])
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(work, pictures * 8))
    for actual, expected in zip(together, alone * 8, strict=True):
        for one, other in zip(actual, expected, strict=True):
            np.testing.assert_array_equal(one, other)


OBJECTS = """
import multiprocessing, os, sys, time, warnings
import numpy as np
import yaml
from Sim3DR.lighting import RenderPipeline
from tddfa.face_aligner import FaceAligner
from tddfa.io.pictures import imread

def objects(backend, root):
    settings = yaml.safe_load(open(f"{root}/configs/mb1_120x120.yml"))
    if backend == "onnx":
        from FaceBoxes.FaceBoxes_ONNX import FaceBoxes_ONNX as Detector
        from TDDFA_ONNX import TDDFA_ONNX as Aligner
        pair = Aligner(num_threads=4, **settings), Detector(num_threads=4)
    else:
        from FaceBoxes.FaceBoxes import FaceBoxes as Detector
        from TDDFA import TDDFA as Aligner
        pair = Aligner(**settings), Detector()
    return *pair, FaceAligner(backend=backend, threads=4), RenderPipeline()

def use(objects, picture):
    tddfa, detector, aligner, lights = objects
    params, rois = tddfa(picture, detector(picture))
    (face,) = aligner(picture)
    out = picture.copy()
    lights(face.vertices.T, face.triangles, out)
    return np.concatenate([params[0], rois[0], face.vertices.ravel()]), out

def work(objects, picture):
    try:
        return use(objects, picture)
    except ValueError as error:
        return f"{type(error).__name__}: {error}"

if __name__ == "__main__":
    method, backend, root = sys.argv[1:]
    picture = imread(f"{root}/examples/inputs/astronaut.png")
    made = objects(backend, root)
    numbers, drawn = use(made, picture)
    warnings.simplefilter("ignore")  # Python's own about threads and fork
    with multiprocessing.get_context(method).Pool(1) as pool:
        answer = pool.apply_async(work, (made, picture)).get(timeout=60)
        if not isinstance(answer, str):
            np.testing.assert_allclose(answer[0], numbers, rtol=1e-4, atol=1e-2)
            assert np.abs(answer[1].astype(int) - drawn).max() <= 8
            answer = "same"
    if method == "fork" and backend == "onnx":  # without pickling: the very objects
        child = os.fork()
        if not child:
            again = use(made, picture)
            os._exit(not np.allclose(again[0], numbers, rtol=1e-4, atol=1e-2))
        for _ in range(600):
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                assert status == 0
                break
            time.sleep(0.1)
        else:
            os.kill(child, 9)
            sys.exit("the forked process hangs")
    print(answer)
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["onnx", "torch"])
@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_objects_in_other_processes(method, backend, project_root, tmp_path):
    if method == "fork" and not hasattr(os, "fork"):
        pytest.skip("this system does not fork")
    if backend == "torch":
        pytest.importorskip("torch")
    script = tmp_path / "script.py"
    script.write_text(OBJECTS)
    done = subprocess.run(
        [sys.executable, script, method, backend, project_root],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(project_root), "PATH": "", "HOME": str(tmp_path)},
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    if (method, backend) == ("fork", "torch"):
        assert done.stdout.startswith("InputError: PyTorch was used before this process was forked")
        assert "spawn" in done.stdout and done.stdout.count("\n") == 1
    else:
        assert done.stdout.strip() == "same"


@pytest.mark.parametrize("name", ["TDDFA", "TDDFA_ONNX", "FaceBoxes", "FaceBoxes_ONNX"])
def test_pickled_by_configuration(name, settings):
    if not name.endswith("ONNX"):
        pytest.importorskip("torch")
    if name == "TDDFA_ONNX":
        original = TDDFA_ONNX(units="basel", shape_dim=7, n_threads=2, **settings)
    elif name == "FaceBoxes_ONNX":
        original = FaceBoxes_ONNX(vis_thres=0.9)
    elif name == "TDDFA":
        from TDDFA import TDDFA

        original = TDDFA(units="basel", shape_dim=7, n_threads=2, **settings)
    else:
        from FaceBoxes.FaceBoxes import FaceBoxes

        original = FaceBoxes(vis_thres=0.9)
    data = pickle.dumps(original)
    assert len(data) < 3000, "weights are loaded anew"
    copy = pickle.loads(data)
    if name.startswith("TDDFA"):
        assert copy.n_threads == 2 and copy.bfm.w_shp.shape[1] == 7
        np.testing.assert_array_equal(copy.param_std, original.param_std)
    else:
        assert copy.settings == original.settings and copy.settings.vis_thres == 0.9
