import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from tddfa import TDDFA_ONNX, load_config
from tddfa.errors import InputError
from tddfa.face_aligner import FaceAligner
from tddfa.import_reference import import_reference, main
from tddfa.io.pictures import imread
from tddfa.reference_files import ALL_FILES, FACE_MODEL, ReferenceFile, download, git_blob_id
from tddfa.roi import square_around


def test_blob_id_is_gits(tmp_path):
    (tmp_path / "empty").touch()
    assert git_blob_id(tmp_path / "empty") == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    (tmp_path / "hello").write_bytes(b"hello\n")
    assert git_blob_id(tmp_path / "hello") == "ce013625030ba8dba906f756967f9e9ca394464a"


def test_reference_files_are_genuine(upstream):
    checked = 0
    for file in ALL_FILES:
        path = file.locate(upstream)
        if path is not None:
            assert git_blob_id(path) == file.blob, file.path
            checked += 1
    assert checked == 7  # all but the x1.0 weights and the Basel model, which are not here


@pytest.fixture
def copy(upstream, tmp_path):
    """A folder in the repository's layout, with the interpolated face model in Basel's place."""
    folder = tmp_path / "copy"
    for file in ALL_FILES:
        source = file.locate(upstream)
        if file is FACE_MODEL:
            source = upstream / "configs" / "bfm_interpolated_from_sparse.pkl"
        if source is not None:
            (folder / file.path).parent.mkdir(parents=True, exist_ok=True)
            (folder / file.path).symlink_to(source)
    return folder


def test_import_gives_the_same_faces(copy, tmp_path, reference_pipeline, project_root):
    (config,) = import_reference(copy, tmp_path / "out", check=False)
    image = imread(project_root / "examples" / "inputs" / "astronaut.png")
    imported = FaceAligner(config)
    (expected,), (actual,) = reference_pipeline(image), imported(image)
    np.testing.assert_allclose(actual.param, expected.param, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(actual.landmarks, expected.landmarks, atol=1e-3)
    np.testing.assert_allclose(actual.vertices, expected.vertices, atol=1e-3)
    assert imported.aligner.tri.uv.shape == (38365, 2)
    _, rois = imported.aligner(image, [actual.vertices], crop_policy="landmark")
    assert rois == [square_around(actual.vertices)]  # the reference's rule
    ours = project_root / "weights/mb05_120x120.pth"
    with pytest.raises(InputError, match="trained for another face model"):
        TDDFA_ONNX(**(vars(load_config(config)) | {"checkpoint_fp": str(ours), "onnx_fp": None}))
    model = load_config(project_root / "configs/mb05_120x120.yml").find("bfm_fp")
    with pytest.raises(InputError, match="trained for another face model"):
        TDDFA_ONNX(**(vars(load_config(config)) | {"bfm_fp": str(model)}))
    assert "academic use only" in (tmp_path / "out" / "NOTICE.txt").read_text()


def test_foreign_file_is_refused(copy, tmp_path):
    with pytest.raises(
        InputError, match=r"bfm_noneck_v3.*7a44e1e29d658fc5d7303eb07cd820b23daab34a"
    ):
        import_reference(copy, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_missing_files_are_named(copy, tmp_path):
    (copy / "configs" / "tri.pkl").unlink()
    (copy / "weights" / "mb05_120x120.pth").unlink()
    with pytest.raises(InputError, match=r"tri\.pkl.*mb1.*or.*mb05"):
        import_reference(copy, tmp_path / "out", check=False)


def test_target_in_use(copy, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "precious").touch()
    with pytest.raises(InputError, match="empty folder"):
        import_reference(copy, tmp_path / "out", check=False)
    assert (tmp_path / "out" / "precious").exists()


def test_nothing_is_left_after_a_failure(copy, tmp_path):
    pytest.importorskip("onnxscript")
    path = copy / "weights" / "mb05_120x120.pth"
    path.unlink()
    path.write_text("text")
    with pytest.raises(InputError, match="mb05"):
        import_reference(copy, tmp_path / "out", check=False)
    assert [p.name for p in tmp_path.iterdir()] == ["copy"]


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def server(tmp_path):
    """Serve ``tmp_path/served`` on a free port of this machine."""
    (tmp_path / "served").mkdir()
    handler = partial(QuietHandler, directory=str(tmp_path / "served"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        thread = threading.Thread(target=http.serve_forever, daemon=True)
        thread.start()
        yield tmp_path / "served", f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


HELLO = ReferenceFile("configs/hello.txt", "ce013625030ba8dba906f756967f9e9ca394464a")


def test_download(server, tmp_path, monkeypatch):
    served, url = server
    monkeypatch.setattr("tddfa.reference_files.ALL_FILES", (HELLO,))
    with pytest.raises(InputError, match=r"hello\.txt.*404"):
        download(tmp_path / "got", url)
    (served / "configs").mkdir()
    (served / "configs" / "hello.txt").write_bytes(b"changed\n")
    with pytest.raises(InputError, match="git blob"):
        download(tmp_path / "got", url)
    assert not [p for p in (tmp_path / "got").rglob("*") if p.is_file()]
    (served / "configs" / "hello.txt").write_bytes(b"hello\n")
    download(tmp_path / "got", url)
    assert (tmp_path / "got" / "configs" / "hello.txt").read_bytes() == b"hello\n"
    (served / "configs" / "hello.txt").unlink()
    download(tmp_path / "got", url)  # a genuine copy is not fetched again


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "file:///etc"])
def test_download_without_a_server(tmp_path, url):
    with pytest.raises(InputError, match=url):
        main([str(tmp_path / "got"), "--download", "--url", url, "--out", str(tmp_path / "out")])
