"""Code written for the reference runs: its names, and the cells of an article about it."""

import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tddfa import load_config
from tddfa.assets import find_asset
from tddfa.reference_files import ALL_FILES, FACE_MODEL, ReferenceFile

NAMES = """
from FaceBoxes import FaceBoxes
from FaceBoxes.FaceBoxes_ONNX import FaceBoxes_ONNX
from TDDFA import TDDFA
from TDDFA_ONNX import TDDFA_ONNX
"""
# Of a checkout alone: installed, such a name would clash with everybody's.
UTILS = """
from utils.render import render
from utils.depth import depth
from utils.pncc import pncc
from utils.uv import uv_tex
from utils.pose import viz_pose
from utils.serialization import ser_to_ply, ser_to_obj
from utils.functions import draw_landmarks, get_suffix
"""

# The article's cells; `prepare` says what is replaced in them.
IMPORTS = """
import cv2
import yaml
from FaceBoxes import FaceBoxes
from TDDFA import TDDFA
from utils.render import render
from utils.depth import depth
from utils.pncc import pncc
from utils.uv import uv_tex
from utils.pose import viz_pose
from utils.serialization import ser_to_ply, ser_to_obj
from utils.functions import draw_landmarks, get_suffix
import matplotlib.pyplot as plt
from skimage import io
"""
LOAD = """
cfg = yaml.load(open('configs/mb1_120x120.yml'), Loader=yaml.SafeLoader)
onnx_flag = True  # True to use ONNX to speed up
if onnx_flag:
    !pip install onnxruntime
    import os
    os.environ['KMP_DUPLICATE_LIB_OK'] = 'True'
    os.environ['OMP_NUM_THREADS'] = '4'
    from FaceBoxes.FaceBoxes_ONNX import FaceBoxes_ONNX
    from TDDFA_ONNX import TDDFA_ONNX
    face_boxes = FaceBoxes_ONNX()
    tddfa = TDDFA_ONNX(**cfg)
else:
    face_boxes = FaceBoxes()
    tddfa = TDDFA(gpu_mode=False, **cfg)
"""
PICTURE = """
img_url = ''
img = io.imread(img_url)
img = img[..., ::-1]  # RGB -> BGR
"""
DETECT = """
boxes = face_boxes(img)
print(f'Detect {len(boxes)} faces')
"""
REGRESS = """
param_lst, roi_box_lst = tddfa(img, boxes)
"""
SPARSE = """
dense_flag = False
ver_lst = tddfa.recon_vers(param_lst, roi_box_lst, dense_flag=dense_flag)
draw_landmarks(img, ver_lst, dense_flag=dense_flag)
"""
DENSE = """
dense_flag = True
ver_lst = tddfa.recon_vers(param_lst, roi_box_lst, dense_flag=dense_flag)
draw_landmarks(img, ver_lst, dense_flag=dense_flag)
"""
RENDER = """
ver_lst = tddfa.recon_vers(param_lst, roi_box_lst, dense_flag=dense_flag)
render(img, ver_lst, tddfa.tri, alpha=0.6, show_flag=True);
"""
PNCC = """
ver_lst = tddfa.recon_vers(param_lst, roi_box_lst, dense_flag=dense_flag)
pncc(img, ver_lst, tddfa.tri, show_flag=True);
"""
ARTICLE = (IMPORTS, LOAD, PICTURE, DETECT, REGRESS, SPARSE, DENSE, RENDER, PNCC)
# What else the imported names are for, called as their users call them.
OTHER = """
ver_sparse = tddfa.recon_vers(param_lst, roi_box_lst, dense_flag=False)
depth(img, ver_lst, tddfa.tri, show_flag=False)
uv_tex(img, ver_lst, tddfa.tri, show_flag=False)
viz_pose(img, param_lst, ver_sparse, show_flag=False)
ser_to_ply(ver_lst, tddfa.tri, height=img.shape[0], wfp=f'{folder}/face.ply')
ser_to_obj(img, ver_lst, tddfa.tri, height=img.shape[0], wfp=f'{folder}/face.obj')
param_lst, roi_box_lst = tddfa(img, [ver_sparse[0]], crop_policy='landmark')
get_suffix('face.jpg')
"""


def test_names_from_the_checkout(project_root):
    """In a fresh process that finds the project by its working directory alone."""
    no_install = (
        "import sys; sys.meta_path = [f for f in sys.meta_path if 'Editable' not in str(f)]"
    )
    run([sys.executable, "-c", f"{no_install}\n{NAMES}{UTILS}"], project_root)


EDITABLE = """
import sys
from setuptools.command.build_ext import build_ext
build_ext.run = lambda self: None  # the kernels are here already
from setuptools import build_meta
print(build_meta.build_editable(sys.argv[1]))
"""


def test_names_after_an_editable_install(project_root, tmp_path):
    """In an environment of its own, whatever checkout is installed in this one."""
    environment, elsewhere = tmp_path / "environment", tmp_path / "elsewhere"
    venv.create(environment, symlinks=os.name != "nt")
    scheme = {"base": str(environment), "platbase": str(environment)}
    packages = Path(sysconfig.get_path("purelib", "venv", scheme))
    # The other packages are taken from here; editable installs there do not count, since .pth
    # files have no effect in a folder that a .pth file names.
    folders = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    (packages / "others.pth").write_text("\n".join(folders))
    built = run([sys.executable, "-c", EDITABLE, str(tmp_path)], project_root)
    with zipfile.ZipFile(tmp_path / built.split()[-1]) as wheel:
        wheel.extractall(packages)
    elsewhere.mkdir()
    code = f"{NAMES}\nimport Sim3DR, importlib.util as u; print(Sim3DR.__file__)"
    code += "\nprint([name for name in ('utils', 'models', 'bfm') if u.find_spec(name)])"
    python = Path(sysconfig.get_path("scripts", "venv", scheme)) / "python"
    place, installed = run([str(python), "-c", code], elsewhere).splitlines()
    assert Path(place).parent.parent == project_root
    assert installed == "[]"


@pytest.fixture(scope="module")
def copy(upstream, tmp_path_factory) -> Path:
    """A copy of the reference's repository, as far as its files are here.

    The interpolated face model lies in the Basel model's place, an untrained network in that of the
    x1.0 weights.
    """
    import torch

    from tddfa.backbones.mobilenet import MobileNet
    from tddfa.export_onnx import export_onnx

    folder = tmp_path_factory.mktemp("3DDFA_V2")
    stand_in = ReferenceFile("configs/bfm_interpolated_from_sparse.pkl", "")
    for file in ALL_FILES:
        source = (stand_in if file is FACE_MODEL else file).locate(upstream)
        target = folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        if source is not None:
            target.symlink_to(source)
    weights = folder / "weights" / "mb1_120x120.pth"
    assert not weights.exists()
    torch.manual_seed(0)
    torch.save({"state_dict": MobileNet(1.0).state_dict()}, weights)
    export_onnx(weights, weights.with_suffix(".onnx"))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("onnx_flag", [True, False])
def test_cells_of_the_article(project_root, copy, tmp_path, onnx_flag):
    """In a notebook: every cell runs, pictures appear, and no picture is printed as numbers."""
    variables = {"TDDFA_ASSETS": str(copy), "IPYTHONDIR": str(tmp_path)}
    outputs = execute(project_root, prepare(project_root, onnx_flag), variables)
    assert "Detect 1 faces" in str(outputs[ARTICLE.index(DETECT)])
    for number, cell in enumerate(ARTICLE):
        shows = cell in (SPARSE, DENSE, RENDER, PNCC)
        kinds = [kind for output in outputs[number] for kind in output.get("data", ())]
        assert kinds.count("image/png") == shows, cell
        text = "".join(
            output["data"].get("text/plain", "") for output in with_data(outputs[number])
        )
        assert "array" not in text and "ShownPicture" not in text, cell


@pytest.mark.slow
@pytest.mark.parametrize("onnx_flag", [True, False])
def test_cells_as_a_script(project_root, copy, tmp_path, onnx_flag):
    """In plain Python: nothing is shown, and the ONNX branch does without PyTorch."""
    code = "\n".join(prepare(project_root, onnx_flag))
    code += f"\nfolder = {str(tmp_path)!r}\n{OTHER}"
    code += "\nimport sys; print('torch' in sys.modules, len(param_lst[0]), ver_lst[0].shape)"
    variables = {"TDDFA_ASSETS": str(copy), "MPLBACKEND": "agg"}
    printed = run([sys.executable, "-c", code], project_root, **variables)
    first, angles, last = printed.splitlines()
    assert first == "Detect 1 faces"
    assert re.fullmatch(r"yaw: -?\d+\.\d, pitch: -?\d+\.\d, roll: -?\d+\.\d", angles)
    assert last == f"{not onnx_flag} 62 (3, 39402)"
    assert {path.name for path in tmp_path.iterdir()} == {"face.ply", "face.obj"}


@pytest.mark.parametrize("config", ["configs/basel_mb1.yml", "configs/basel_mb05.yml"])
def test_configurations_of_the_reference(project_root, copy, tmp_path, config):
    """A copy of the reference's repository serves as asset folder for the command line."""
    command = [sys.executable, "demo.py", "-f", "examples/inputs/astronaut.png", "-c", config]
    command += ["-o", "3d", "--onnx", "--show_flag", "false", "--assets", str(copy)]
    printed = run([*command, "--out", str(tmp_path / "out.png")], project_root)
    assert "1 face" in printed
    assert (tmp_path / "out.png").is_file()
    # Ours of the same names lie nearer.
    for key, name in vars(load_config(project_root / config, copy)).items():
        if key.endswith("_fp") and name:
            assert copy in find_asset(name, copy, project_root / "configs").parents, key


def prepare(root: Path, onnx_flag: bool) -> list[str]:
    """Return the article's cells with the install line, the branch and the picture replaced."""
    cells = [re.sub(r"(?m)^( *)!pip .*$", r"\1pass", cell) for cell in ARTICLE]
    cells = [cell.replace("onnx_flag = True", f"onnx_flag = {onnx_flag}") for cell in cells]
    picture = str(root / "examples" / "inputs" / "astronaut.png")
    return [cell.replace("img_url = ''", f"img_url = {picture!r}") for cell in cells]


def with_data(outputs: list[dict]) -> list[dict]:
    return [output for output in outputs if "data" in output]


def execute(root: Path, cells: list[str], variables: dict[str, str]) -> list[list[dict]]:
    """Run cells in a notebook's kernel and return the outputs of each."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    client = nbclient.NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": str(root)}}
    )
    client.execute(env=os.environ | variables)
    return [cell["outputs"] for cell in notebook["cells"]]


def run(command: list[str], folder: Path, **variables: str) -> str:
    """Run a process without this one's search path and return what it printed."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment |= variables
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
