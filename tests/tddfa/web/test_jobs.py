"""Uploads without the page: what they are, what is refused, what becomes of them."""

import os
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from tddfa.errors import InputError
from tddfa.io.pictures import imread, imwrite
from tddfa.outputs import OUTPUTS
from tddfa.web.jobs import JobChoices, Networks, run_upload
from tddfa.web.kinds import upload_kind
from tddfa.web.limits import Deadline, Limits
from tddfa.web.storage import Storage

LIMITS = Limits()


@pytest.fixture(scope="module")
def networks(pipeline):
    return Networks({"x1.0": lambda clips: pipeline})


@pytest.fixture
def work(tmp_path, networks):
    """Return a function that works on bytes, or a file, as on an upload."""

    def run(upload, limits=LIMITS, **choices):
        if isinstance(upload, bytes):
            path = tmp_path / "sent by somebody %04d.mp4"
            path.write_bytes(upload)
            upload = path
        folder = Storage(tmp_path / "served", limits).new_job()
        return run_upload(upload, folder, networks, JobChoices(weights="x1.0", **choices), limits)

    return run


@pytest.fixture
def portrait(project_root):
    return project_root / "examples" / "inputs" / "astronaut.png"


@pytest.fixture
def clip(tmp_path, portrait, make_video):
    picture = imread(portrait)[:256, 100:356]
    return make_video(tmp_path / "clip.mp4", [np.roll(picture, n, 1) for n in range(10)])


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\0\0\0\x18ftypisom", "clip"),
        (b"\0\0\0\x18ftypheic", "picture"),
        (b"\0\0\0\x18ftypavif", "picture"),
        (b"\x1a\x45\xdf\xa3", "clip"),
        (b"RIFF\0\0\0\0AVI LIST", "clip"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "picture"),
        (b"G" + bytes(187) + b"G", "clip"),
        (b"GIF89a", "picture"),
        (b"\x89PNG", "picture"),
        (b"#EXTM3U\n/etc/passwd", "picture"),
        (b"ffconcat version 1.0\nfile /etc/passwd", "picture"),
        (b"<MPD>", "picture"),
    ],
)
def test_kind_follows_from_the_first_bytes(data, kind):
    assert upload_kind(data) == kind


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile '/etc/passwd'\n",
        b"\0\0\0\x18ftypisom" + bytes(100),
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    ],
)
def test_what_is_no_picture_is_told_in_a_line_without_paths(work, tmp_path, data):
    with pytest.raises(InputError) as info:
        work(data)
    text = str(info.value)
    assert "\n" not in text and str(tmp_path) not in text and "/etc" not in text
    assert not [path for path in (tmp_path / "served").rglob("*") if path.is_file()]


def test_a_picture_has_every_output(work, portrait):
    result = work(portrait)
    drawn = [name for name, output in OUTPUTS.items() if output.draw]
    assert list(result.drawings) == drawn
    assert {path.suffix for path in result.files} == {".jpg", ".ply", ".obj", ".glb", ".json"}
    assert all(path.stat().st_size for path in result.files)
    assert result.head in result.files and "| 1 | 1.00 |" in result.text
    assert imread(result.drawings["3d"]).shape == imread(portrait).shape


def test_alpha(work, portrait):
    none, half, full = (
        imread(work(portrait, alpha=alpha).drawings["3d"]).astype(int) for alpha in (0, 0.5, 1)
    )
    off = [np.abs(drawing - none).mean() for drawing in (half, full)]
    assert off[0] > 0.2 and off[1] == pytest.approx(2 * off[0], rel=0.1)


def test_a_clip(work, clip):
    result = work(clip, option="pose")
    assert result.video is not None and result.video.stat().st_size
    assert "1 face in 10 of 10 frames" in result.text
    assert {path.suffix for path in result.files} == {".mp4", ".csv", ".glb"}


def test_of_a_long_clip_the_beginning(work, clip):
    result = work(clip, limits=replace(LIMITS, clip_seconds=1, work_seconds=60), neighbors=0)
    assert "10 frames" in result.text and "first" not in result.text
    rows = result.files[1].read_text().splitlines()
    short = work(clip, limits=replace(LIMITS, clip_seconds=0.2))
    assert len(short.files[1].read_text().splitlines()) == 1 + (len(rows) - 1) // 2
    assert "first 0.2 s" in short.text


def test_no_face_is_an_answer(work, tmp_path, make_video):
    gray = np.full((120, 160, 3), 128, np.uint8)
    imwrite(tmp_path / "gray.png", gray)
    result = work(tmp_path / "gray.png")
    assert "No face" in result.text and not result.files and result.head is None
    result = work(make_video(tmp_path / "gray.mp4", [gray] * 3))
    assert "No face" in result.text and result.video is not None


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"upload_mb": 0}, "0 at most"),
        ({"megapixels": 0}, "512x512 pixels"),
        ({"work_seconds": 0}, "longer than 0 s"),
    ],
)
def test_limits_of_pictures(work, portrait, limits, words):
    with pytest.raises(InputError, match=words):
        work(portrait, limits=replace(LIMITS, **limits))


@pytest.mark.parametrize(
    ("limits", "words"),
    [({"clip_megapixels": 0}, "256x256 pixels"), ({"work_seconds": 0}, "longer than 0 s")],
)
def test_limits_of_clips(work, clip, tmp_path, limits, words):
    with pytest.raises(InputError, match=words):
        work(clip, limits=replace(LIMITS, **limits))
    assert not [path for path in (tmp_path / "served").rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "choices",
    [
        {"option": "../../etc/passwd"},
        {"option": "glb"},
        {"alpha": 2},
        {"alpha": float("nan")},
        {"neighbors": 6},
        {"neighbors": -1},
        {"weights": "../x"},
    ],
)
def test_choices_that_the_page_does_not_offer(networks, tmp_path, portrait, choices):
    with pytest.raises(InputError, match="expected"):
        run_upload(
            portrait, tmp_path, networks, JobChoices(**{"weights": "x1.0", **choices}), LIMITS
        )


def test_networks_are_built_once_for_all_visitors():
    built = []

    def build(clips):
        time.sleep(0.05)
        built.append(clips)
        return object()

    networks = Networks({"a": build})
    threads = [threading.Thread(target=networks.get, args=("a",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert built == [False]
    assert networks.get("a") is networks.get("a") is not networks.get("a", clips=True)


def test_deadline():
    Deadline(10).check()
    with pytest.raises(InputError, match="longer than -1 s"):
        Deadline(-1).check()


def test_storage_removes_what_is_old(tmp_path):
    storage = Storage(tmp_path / "served", LIMITS)
    storage.clean()
    old, new = storage.new_job(), storage.new_job()
    for folder, age in ((old, LIMITS.keep_seconds + 9), (new, 0)):
        (folder / "file").write_bytes(b"x")
        for path in (folder / "file", folder):
            os.utime(path, (time.time() - age,) * 2)
    storage.clean()
    assert not old.exists() and (new / "file").exists()


def test_storage_removes_the_oldest_of_too_much(tmp_path):
    storage = Storage(tmp_path / "served", replace(LIMITS, stored_mb=2))
    folders = [storage.new_job() for _ in range(3)]
    for age, folder in enumerate(folders):
        (folder / "file").write_bytes(bytes(900_000))
        for path in (folder / "file", folder):
            os.utime(path, (time.time() - age,) * 2)
    storage.clean()
    assert [folder.exists() for folder in folders] == [True, True, False]
