"""docs/migrating.md: every name in its tables can be imported, and no old name is missing."""

import doctest
import importlib
import inspect
import pkgutil
import re

import pytest

# What users of the reference import, tried one by one: the page must have each.
WANTED = """
utils.tddfa_util: _parse_param similar_transform load_model str2bool _to_ctype
utils.tddfa_util: ToTensorGjz NormalizeGjz
utils.pose: P2sRt matrix2angle build_camera_box calc_pose plot_pose_box viz_pose
utils.functions: calc_hypotenuse RED BLUE GREEN get_suffix crop_img draw_landmarks cv_draw_landmark
utils.functions: parse_roi_box_from_bbox parse_roi_box_from_landmark plot_image
utils.io: _load _dump mkdir _get_suffix _load_tensor
utils.uv: uv_tex bilinear_interpolate process_uv load_uv_coords get_colors g_uv_coords indices
utils.pncc: pncc calc_ncc_code
utils.depth: depth
utils.render: render render_app cfg
utils.render_ctypes: render
utils.serialization: ser_to_ply ser_to_obj ser_to_ply_single ser_to_obj_single get_colors
utils.serialization: ser_to_ply_multiple ser_to_obj_multiple
utils.onnx: convert_to_onnx
bfm: BFMModel
models.mobilenet_v1: MobileNet mobilenet mobilenet_1 mobilenet_05
models.resnet: ResNet
FaceBoxes: FaceBoxes
FaceBoxes.FaceBoxes_ONNX: FaceBoxes_ONNX
FaceBoxes.utils.timer: Timer
FaceBoxes.utils.nms_wrapper: nms
FaceBoxes.utils.functions: load_model
FaceBoxes.utils.box_utils: decode
FaceBoxes.utils.prior_box: PriorBox
FaceBoxes.utils.config: cfg
FaceBoxes.models.faceboxes: FaceBoxesNet
Sim3DR: RenderPipeline rasterize get_normal
Sim3DR.Sim3DR: get_normal rasterize
Sim3DR.lighting: norm_vertices convert_type RenderPipeline
TDDFA: TDDFA make_abs_path _parse_param similar_transform
TDDFA_ONNX: TDDFA_ONNX
"""
ALIASES = ("utils", "bfm", "models", "FaceBoxes.utils", "FaceBoxes.models")


@pytest.fixture(scope="module")
def text(project_root):
    return (project_root / "docs" / "migrating.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def rows(text):
    """Old names and new names of each row of the tables of names."""
    found = []
    for line in text.split("## Names")[1].splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == 3 and cells[0].startswith("`"):
            found.append([re.findall(r"`([^`]+)`", cell) for cell in cells[:2]])
    return found


def resolve(dotted):
    """Import a name the way ``from module import name`` does."""
    module, _, name = dotted.rpartition(".")
    return getattr(importlib.import_module(module), name)


def test_every_name_is_there(rows, project_root):
    assert len(rows) > 40
    for old, new in rows:
        assert old
        for name in old:
            if name.endswith(".py"):
                assert (project_root / name).is_file()
            else:
                assert resolve(name) is not None, name
        for name in new:
            assert callable(resolve(name)), name


def test_new_code_is_in_the_package_that_is_installed(rows):
    for _, new in rows:
        assert all(name.partition(".")[0] in ("tddfa", "FaceBoxes", "Sim3DR") for name in new)


def test_no_wanted_name_is_missing(rows):
    listed = {name for old, _ in rows for name in old}
    for line in WANTED.strip().splitlines():
        module, names = line.split(":")
        for name in names.split():
            assert f"{module}.{name}" in listed, name


def test_no_alias_is_missing(rows):
    """What the alias modules define or export themselves is on the page."""
    listed = {name for old, _ in rows for name in old}
    for package in ALIASES:
        path = importlib.import_module(package).__path__
        for info in pkgutil.walk_packages(path, f"{package}."):
            module = importlib.import_module(info.name)
            names = getattr(module, "__all__", None)
            if names is None:
                names = [
                    name
                    for name, value in vars(module).items()
                    if getattr(value, "__module__", "") == info.name
                    and not name.startswith("_")
                    and (inspect.isfunction(value) or inspect.isclass(value))
                ]
            for name in names:
                assert f"{info.name}.{name}" in listed, f"{info.name}.{name}"


def test_class_of_the_packages_name_is_its_modules():
    from FaceBoxes import FaceBoxes
    from FaceBoxes.FaceBoxes import FaceBoxes as ModulesClass
    from FaceBoxes.FaceBoxes import viz_bbox

    assert FaceBoxes is ModulesClass and callable(viz_bbox)


def test_examples(project_root, monkeypatch):
    monkeypatch.chdir(project_root)
    path = str(project_root / "docs" / "migrating.md")
    failed, run = doctest.testfile(path, module_relative=False, encoding="utf-8")
    assert run >= 5 and not failed


def test_no_alias_is_used_inside(project_root):
    """Old names are for users: nothing that is installed, and no command, imports them."""
    old = re.compile(
        r"^\s*(?:from|import) (?:utils|bfm|models|TDDFA|TDDFA_ONNX|tddfa\.compat|FaceBoxes\.utils"
        r"|FaceBoxes\.models|FaceBoxes\.FaceBoxes(?:_ONNX)?|Sim3DR\.Sim3DR)\b"
        r"|^\s*from FaceBoxes import FaceBoxes\b|^\s*from Sim3DR import .*\brasterize\b(?!_)",
        re.MULTILINE,
    )
    aliases = ("tddfa/compat", "FaceBoxes/utils", "FaceBoxes/models")
    roots = ("tddfa", "FaceBoxes", "Sim3DR", "training")
    files = [path for root in roots for path in (project_root / root).rglob("*.py")]
    assert len(files) > 100
    for path in files:
        name = path.relative_to(project_root).as_posix()
        own = name.startswith(aliases) or name in (
            "FaceBoxes/__init__.py",
            "FaceBoxes/FaceBoxes.py",
            "FaceBoxes/FaceBoxes_ONNX.py",
            "FaceBoxes/reference_contract.py",
        )
        if not own:
            assert not old.search(path.read_text(encoding="utf-8")), name
