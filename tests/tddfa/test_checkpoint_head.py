import os
import pickle
import subprocess
import sys
import zipfile

import pytest

from tddfa.checkpoint_head import check_head
from tddfa.errors import InputError


class Evil:
    def __reduce__(self):
        return os.system, ("touch hacked",)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("zipped", [False, True])
def test_foreign_pickle(tmp_path, protocol, zipped):
    data = pickle.dumps({"state_dict": {"a": Evil()}}, protocol)
    path = tmp_path / "x.pth"
    path.write_bytes(data)
    if zipped:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x/data.pkl", data)
    with pytest.raises(InputError, match=r"x\.pth.*asks for (posix|nt)\.system"):
        check_head(path)


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04", b"\x89PNG"])
def test_no_checkpoint(tmp_path, content):
    (tmp_path / "x.pth").write_bytes(content)
    with pytest.raises(InputError, match=r"x\.pth.*expected a PyTorch checkpoint"):
        check_head(tmp_path / "x.pth")


def test_genuine_checkpoints(project_root, tmp_path, upstream):
    for folder in (project_root, upstream):
        for path in folder.rglob("weights/*.pth"):
            check_head(path)
    torch = pytest.importorskip("torch")
    state = {"a": torch.zeros(3).half(), "b": torch.nn.Parameter(torch.ones(2)), "n": 3}
    for legacy in (True, False):
        path = tmp_path / "x.pth"
        torch.save(state, path, _use_new_zipfile_serialization=not legacy)
        check_head(path)
    check_head(tmp_path / "missing.pth")


SCRIPT = """
import sys
from tddfa.errors import InputError
from tddfa.onnx_cache import find_onnx
from tddfa.torch_backend import TDDFA
from FaceBoxes import FaceBoxes
from pathlib import Path
path = sys.argv[1]
for use in (
    lambda: find_onnx(Path(path)),
    lambda: TDDFA(checkpoint_fp=path, bfm_fp="configs/face_model.npz",
                  param_mean_std_fp="configs/param_mean_std_62d.npz"),
    lambda: FaceBoxes(checkpoint_fp=path),
):
    try:
        use()
    except InputError as error:
        print(error)
print("torch" in sys.modules)
"""


def test_refused_before_pytorch_is_loaded(project_root, tmp_path):
    (tmp_path / "x.pth").write_bytes(pickle.dumps(Evil()))
    command = [sys.executable, "-c", SCRIPT, tmp_path / "x.pth"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=project_root, check=True)
    *lines, loaded = done.stdout.splitlines()
    assert len(lines) == 3 and all("asks for" in line for line in lines)
    assert loaded == "False"
    assert not (project_root / "hacked").exists()
