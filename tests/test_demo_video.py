"""``demo_video.py`` and ``demo_video_smooth.py`` as a user calls them."""

import http.server
import json
import signal
import subprocess
import sys
import threading
import time
from fractions import Fraction
from functools import partial

import av
import cv2
import numpy as np
import pytest

import demo_video
import demo_video_smooth
from tddfa.cli import run_main
from tddfa.commands import video as video_arguments
from tddfa.outputs import output_names
from tddfa.video.reader import VideoReader


@pytest.fixture
def astronaut(project_root):
    image = cv2.imread(str(project_root / "examples" / "inputs" / "astronaut.png"))
    return cv2.resize(image[:360, :480], (240, 180), interpolation=cv2.INTER_AREA)


@pytest.fixture
def clip(astronaut, make_video, tmp_path):
    """Twelve frames of a slow pan over a face, with sound."""
    frames = [np.roll(astronaut, 2 * number, axis=1) for number in range(12)]
    return make_video(tmp_path / "clip.mp4", frames, sound="aac")


@pytest.fixture
def empty_clip(make_video, tmp_path):
    frames = [np.full((90, 120, 3), 10 * number, np.uint8) for number in range(8)]
    return make_video(tmp_path / "empty.mp4", frames)


@pytest.fixture
def run(monkeypatch, pipeline, capsys, tmp_path):
    """Run a demo in this process, with networks that are loaded already."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(video_arguments, "build_tracking_pipeline", lambda args: pipeline)

    def call(*arguments, demo=demo_video):
        code = run_main(lambda: demo.main([str(a) for a in arguments]))
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err

    return call


def pictures(path):
    with VideoReader(path) as reader:
        return [picture.image for picture in reader]


def times(path):
    with VideoReader(path) as reader:
        return [picture.time for picture in reader]


def sound(path):
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return 0
        return sum(1 for packet in container.demux(audio=0) if packet.size)


def change(path, other):
    pairs = zip(pictures(path), pictures(other), strict=True)
    return [float(np.abs(a.astype(int) - b).mean()) for a, b in pairs]


def records(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("option", output_names(video=True))
def test_every_output(run, clip, tmp_path, option):
    code, out, _ = run("-f", clip, "-o", option)
    target = tmp_path / f"clip_{option}.mp4"
    assert code == 0 and "12 frames, 1 face in 12 frames" in out
    assert times(target) == times(clip)
    assert sound(target) == sound(clip) > 0
    assert min(change(clip, target)) > 0.2, "nothing was drawn"


@pytest.mark.parametrize("option", ["2d_sparse", "3d"])
@pytest.mark.parametrize("smooth", ["none", "mean", "one_euro"])
def test_every_smoother(run, clip, tmp_path, option, smooth):
    target = tmp_path / "o.mp4"
    code, out, _ = run("-f", clip, "-o", option, "--smooth", smooth, "--out", target)
    assert code == 0 and "1 face in 12 frames" in out
    assert times(target) == times(clip)


def test_smooth_demo_has_its_own_name(run, clip, tmp_path):
    code, _, _ = run("-f", clip, demo=demo_video_smooth)
    assert code == 0
    assert (tmp_path / "clip_2d_sparse_smooth.mp4").is_file()


def test_window_of_one_frame_is_no_smoothing(run, clip, tmp_path):
    for name, arguments in {"a": ["-n_pre", 0, "-n_next", 0], "b": ["--smooth", "none"]}.items():
        code, *_ = run(
            *("-f", clip, "--out", tmp_path / f"{name}.mp4", *arguments),
            *("--save_params", tmp_path / f"{name}.jsonl"),
            demo=demo_video_smooth,
        )
        assert code == 0
    assert (tmp_path / "a.jsonl").read_text() == (tmp_path / "b.jsonl").read_text()
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_no_face_leaves_the_pictures_as_they_are(run, empty_clip, tmp_path):
    target = tmp_path / "o.mp4"
    code, out, err = run("-f", empty_clip, "--out", target, "--crf", 1)
    assert code == 0 and "no face detected" in err and "0 faces" in out
    # Two conversions between BGR and YUV, one that rounds and one that cuts off.
    assert max(change(empty_clip, target)) <= 2


def test_no_face_can_be_an_error(run, empty_clip, tmp_path):
    code, _, err = run("-f", empty_clip, "--out", tmp_path / "o.mp4", "--fail_on_no_face")
    assert code == 2 and "error: " in err


def test_first_frames_without_a_face(run, astronaut, make_video, tmp_path):
    frames = [np.zeros_like(astronaut)] * 5 + [astronaut] * 8
    clip = make_video(tmp_path / "late.mp4", frames)
    code, out, _ = run("-f", clip, "--save_params", tmp_path / "p.jsonl", "--out", "o.mp4")
    assert code == 0 and "13 frames, 1 face in 8 frames" in out
    assert [row["frame"] for row in records(tmp_path / "p.jsonl")] == list(range(5, 13))


@pytest.mark.parametrize("count", [1, 2])
def test_shortest_clips(run, astronaut, make_video, tmp_path, count):
    clip = make_video(tmp_path / "short.mp4", [astronaut] * count)
    for smooth in ("none", "mean", "one_euro"):
        code, out, _ = run("-f", clip, "--smooth", smooth, "--out", "o.mp4")
        assert code == 0
        assert f"{count} frames, 1 face in {count} frames" in out
        assert len(pictures("o.mp4")) == count


def test_cut_begins_new_ids(run, astronaut, make_video, tmp_path):
    mirrored = np.ascontiguousarray(255 - astronaut[:, ::-1])
    mirrored[20:, 60:] = astronaut[:-20, :-60]
    clip = make_video(tmp_path / "cut.mp4", [astronaut] * 6 + [mirrored] * 6)
    code, *_ = run("-f", clip, "--save_params", "p.jsonl", "--out", "o.mp4")
    assert code == 0
    rows = records(tmp_path / "p.jsonl")
    before = {row["id"] for row in rows if row["frame"] < 6}
    after = {row["id"] for row in rows if row["frame"] >= 6}
    assert before and after and not before & after


def test_face_leaves_and_returns(run, astronaut, make_video, tmp_path):
    hidden = astronaut.copy()
    hidden[20:110, 80:160] = hidden[110:, :80].mean(axis=(0, 1))
    clip = make_video(tmp_path / "a.mp4", [astronaut] * 8 + [hidden] * 6 + [astronaut] * 14)
    code, *_ = run("-f", clip, "--save_params", "p.jsonl", "--out", "o.mp4")
    assert code == 0
    rows = records(tmp_path / "p.jsonl")
    assert {row["id"] for row in rows} == {1}
    seen = {row["frame"] for row in rows}
    assert set(range(8)) <= seen and set(range(24, 28)) <= seen
    assert not seen & {9, 10, 11, 12}


def test_one_face_or_all(run, astronaut, make_video, tmp_path):
    small = cv2.resize(astronaut, (160, 120), interpolation=cv2.INTER_AREA)
    both = np.zeros((180, 400, 3), np.uint8)
    both[:, :240], both[30:150, 240:] = astronaut, small
    clip = make_video(tmp_path / "two.mp4", [both] * 6)
    for faces, count in {"all": 2, "one": 1}.items():
        run("-f", clip, "--faces", faces, "--save_params", "p.jsonl", "--out", "o.mp4")
        rows = records(tmp_path / "p.jsonl")
        assert len({row["id"] for row in rows}) == count
    assert all(row["box"][0] < 200 for row in rows), "one means the largest"


@pytest.mark.parametrize(
    ("start", "end", "count"), [(3, 7, 5), (-1, 0, 1), (11, -1, 1), (0, 99, 12), (4, 4, 1)]
)
def test_range(run, clip, tmp_path, start, end, count):
    code, *_ = run("-f", clip, "-s", start, "-e", end, "--out", "o.mp4")
    assert code == 0
    found = times("o.mp4")
    assert len(found) == count and found[0] == 0
    assert (sound("o.mp4") < sound(clip)) == (count < 12)


def test_odd_size_and_records(run, astronaut, make_video, tmp_path):
    with_edge = cv2.copyMakeBorder(astronaut, 0, 1, 0, 1, cv2.BORDER_REPLICATE)
    clip = make_video(tmp_path / "odd.mkv", [with_edge] * 4, codec="ffv1", pix_fmt="bgr0")
    code, *_ = run("-f", clip, "--out", "o.mp4", "--save_params", "p.npz")
    assert code == 0
    assert pictures("o.mp4")[0].shape == (182, 242, 3)
    with np.load(tmp_path / "p.npz") as data:
        assert data["param"].shape == (4, 62) and data["landmarks"].shape == (4, 68, 3)
        assert set(data["id"]) == {1}


def test_records_give_the_same_landmarks_again(run, clip, pipeline, tmp_path):
    for smooth in ("none", "one_euro"):
        run("-f", clip, "--smooth", smooth, "--out", "o.mp4", "--save_params", "p.npz")
        with np.load(tmp_path / "p.npz") as data:
            again = pipeline.aligner.recon_vers(list(data["param"]), list(data["roi_box"]))
            for points, landmarks in zip(again, data["landmarks"], strict=True):
                np.testing.assert_allclose(points[:2].T, landmarks[:, :2], atol=0.02)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-f", "none.mp4"], ["none.mp4", "no such file"]),
        (["-f", "."], ["folder"]),
        (["-f", "empty.bin"], ["empty.bin", "is empty"]),
        (["-f", "text.mp4"], ["text.mp4", "expected a video"]),
        (["-f", "CLIP", "-s", "9", "-e", "3"], ["end", "start"]),
        (["-f", "CLIP", "-s", "-5"], ["start"]),
        (["-f", "CLIP", "-s", "50"], ["clip.mp4", "no frame"]),
        (["-f", "CLIP", "-s", "50", "--save_params", "p.npz"], ["clip.mp4", "no frame"]),
        (["-f", "CLIP", "-s", "50", "--save_params", "p.csv"], ["clip.mp4", "no frame"]),
        (["-f", "CLIP", "-n_pre", "-1"], ["n_pre"]),
        (["-f", "CLIP", "--crf", "99"], ["crf"]),
        (["-f", "CLIP", "--out", "o.avi"], ["o.avi", ".mp4"]),
        (["-f", "CLIP", "--out", "CLIP"], ["would overwrite"]),
        (["-f", "CLIP", "--save_params", "p.txt"], ["p.txt", ".csv"]),
    ],
)
def test_bad_input_is_one_line_and_leaves_no_file(run, clip, tmp_path, arguments, words):
    (tmp_path / "empty.bin").write_bytes(b"")
    (tmp_path / "text.mp4").write_text("no video " * 99)
    before = clip.read_bytes()
    named = [str(clip) if a == "CLIP" else a for a in arguments]
    if "--out" not in named:
        named += ["--out", "o.mp4"]
    code, _, err = run(*named)
    assert code == 2
    assert err.startswith("error: ") and err.count("\n") == 1, err
    for word in words:
        assert word in err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["clip.mp4", "empty.bin", "text.mp4"]
    assert clip.read_bytes() == before


def test_truncated_video_is_done_as_far_as_it_goes(run, clip, tmp_path):
    data = clip.read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: len(data) * 9 // 10])
    code, *_ = run("-f", tmp_path / "cut.mp4", "--out", "o.mp4")
    assert code == 0
    assert 1 <= len(pictures("o.mp4")) <= 12


@pytest.mark.parametrize("aspect", [Fraction(4, 3), Fraction(2, 3)])
def test_faces_are_aligned_on_square_pixels(run, astronaut, make_video, tmp_path, aspect):
    """A squeezed clip gives the landmarks that it had before, and stays squeezed."""
    size = (180, 180) if aspect > 1 else (240, 120)
    narrow = cv2.resize(astronaut, size, interpolation=cv2.INTER_AREA)
    for name, image, shape in (("a", astronaut, None), ("b", narrow, aspect)):
        clip = make_video(
            tmp_path / f"{name}.mp4", [image] * 4, aspect=shape, options={"crf": "10"}
        )
        code, *_ = run("-f", clip, "--out", f"{name}_out.mp4", "--save_params", f"{name}.npz")
        assert code == 0
    with np.load("a.npz") as plain, np.load("b.npz") as squeezed:
        apart = np.abs(plain["landmarks"] - squeezed["landmarks"])[..., :2].max()
        # The face is 48 pixels wide; on stretched pixels its points are 20 and more elsewhere.
        assert apart < 0.05 * np.ptp(plain["landmarks"][0, :, 0])
    with av.open("b_out.mp4") as container:
        stream = container.streams.video[0]
        assert stream.sample_aspect_ratio == aspect
        assert (stream.codec_context.width, stream.codec_context.height) == narrow.shape[1::-1]
    assert pictures("b_out.mp4")[0].shape == (180, 240, 3)
    difference = np.abs(pictures("a_out.mp4")[2].astype(int) - pictures("b_out.mp4")[2])
    assert difference.mean() < 8, "drawn somewhere else"


@pytest.fixture
def numbered(astronaut, tmp_path):
    """Five pictures whose numbers begin at 7 and miss 9."""
    for shift, number in enumerate((7, 8, 10, 11, 12)):
        cv2.imwrite(str(tmp_path / f"in_{number:03d}.png"), np.roll(astronaut, 2 * shift, axis=1))
    return tmp_path / "in_%03d.png"


def test_numbered_pictures_in_and_out(run, numbered, tmp_path):
    code, out, _ = run("-f", numbered, "--out", "o/f_%04d.png", "--save_params", "p.jsonl")
    assert code == 0 and "5 frames, 1 number missing, 1 face in 5 frames" in out
    names = [f"f_{number:04d}.png" for number in (7, 8, 10, 11, 12)]
    assert sorted(path.name for path in (tmp_path / "o").iterdir()) == names
    drawn = cv2.imread(str(tmp_path / "o" / "f_0010.png"))
    change = np.abs(drawn.astype(int) - cv2.imread(str(tmp_path / "in_010.png")))
    assert 0.2 < change.mean() < 20
    assert [row["frame"] for row in records(tmp_path / "p.jsonl")] == [0, 1, 2, 3, 4]
    assert records(tmp_path / "p.jsonl")[2]["time"] == 0.08


def test_numbered_pictures_become_a_video(run, numbered, tmp_path):
    code, *_ = run("-f", numbered, "--fps", 10, "-s", 1, "-e", 3)
    assert code == 0
    np.testing.assert_allclose(times(tmp_path / "in_2d_sparse.mp4"), [0, 0.1, 0.2], atol=1e-6)


def test_folder_in_and_out(run, numbered, tmp_path):
    (tmp_path / "pictures").mkdir()
    for path in tmp_path.glob("in_*.png"):
        path.rename(tmp_path / "pictures" / path.name)
    code, out, _ = run("-f", tmp_path / "pictures", "--out", "made/", "-s", 3)
    assert code == 0 and "made/frame_%06d.png" in out.replace("\\", "/")
    names = ["frame_000011.png", "frame_000012.png"]
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == names


def test_video_as_numbered_pictures(run, clip, tmp_path):
    assert run("-f", clip, "--out", "a_%d.png", "-s", 9)[0] == 0
    assert run("-f", clip, "--out", "b_%d.png", "-s", 9, "--start_number", 1)[0] == 0
    assert sorted(p.name for p in tmp_path.glob("a_*")) == ["a_10.png", "a_11.png", "a_9.png"]
    assert sorted(p.name for p in tmp_path.glob("b_*")) == ["b_1.png", "b_2.png", "b_3.png"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-f", "x_%03d.png"], ["x_%03d.png", "no such pictures"]),
        (["-f", "in_%03d.mp4"], ["in_%03d.mp4", "frame_%04d.png"]),
        (["-f", "IN", "--out", "o_%d_%d.png"], ["o_%d_%d.png", "one number"]),
        (["-f", "IN", "--out", "o.gif"], ["o.gif", ".mp4"]),
        (["-f", "IN", "--out", "in_%03d.png"], ["in_007.png", "would overwrite"]),
        (["-f", "IN", "--out", "in_%03d.png", "--start_number", "10"], ["in_010.png", "another"]),
        (["-f", "IN", "--out", "o.mp4", "--start_number", "10"], ["--start_number"]),
        (["-f", "CLIP", "--fps", "10"], ["--fps", "clip.mp4"]),
    ],
)
def test_bad_sequences(run, clip, numbered, assert_one_line, tmp_path, arguments, words):
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    names = {"IN": str(numbered), "CLIP": str(clip)}
    assert_one_line(run(*[names.get(a, a) for a in arguments]), *words)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("rate", ["0", "x", "1/0", "-1"])
def test_bad_rate(run, numbered, rate, capsys):
    with pytest.raises(SystemExit) as caught:
        run("-f", numbered, f"--fps={rate}")
    assert caught.value.code == 2 and "--fps" in capsys.readouterr().err


def test_url(run, clip, tmp_path):
    """A film from the network, sound included, under its own name in every line."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        code, out, _ = run("-f", f"{url}/clip.mp4", "--out", "o.mp4")
        assert code == 0 and f"{url}/clip.mp4: 12 frames" in out
        assert sound("o.mp4") == sound(clip) > 0
        code, _, err = run("-f", f"{url}/none.mp4", "--out", "o.mp4")
        assert code == 2 and f"error: {url}/none.mp4: " in err and err.count("\n") == 1
        server.shutdown()


def test_request_to_end_while_the_networks_load(run, clip, monkeypatch):
    def load(_):
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(video_arguments, "build_tracking_pipeline", load)
    code, _, err = run("-f", clip, "--out", "o.mp4")
    assert code == 130 and err == "interrupted\n"


def test_damaged_parts_and_leaps_are_told(run, shared):
    case = shared / "cases"
    code, out, _ = run("-f", case / "damaged_packets.avi", "--out", "o.mp4")
    assert code == 0 and "15 frames, 9 damaged in part" in out
    code, out, _ = run("-f", case / "far_apart_timestamps.mkv", "--out", "o.mp4")
    assert code == 0 and "its clock leaps 19 times" in out


@pytest.mark.slow
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_interrupt_leaves_a_playable_file(project_root, astronaut, tmp_path, make_video, kind):
    """The file of a long run holds what was done before Ctrl-C, with its sound."""
    noisy = [np.roll(astronaut, number % 40, axis=1) for number in range(240)] * 8
    clip = make_video(tmp_path / "long.mp4", noisy, sound="aac")
    target, lines = tmp_path / "new" / "o.mp4", tmp_path / "p.jsonl"
    command = [sys.executable, str(project_root / "demo_video.py"), "-f", str(clip), "--onnx"]
    command += ["--out", str(target), "--save_params", str(lines), "-o", "3d"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            written = (
                [p.stat().st_size for p in target.parent.glob(".*")]
                if (target.parent.is_dir())
                else []
            )
            if written and written[0] > 20_000:
                break
            time.sleep(0.05)
        process.send_signal(kind)
        _, err = process.communicate(timeout=300)
    finally:
        process.kill()
    assert process.returncode == 130 and "interrupted" in err and "Traceback" not in err
    frames = pictures(target)
    assert 1 <= len(frames) < len(noisy)
    assert sound(target) > 0
    assert {row["frame"] for row in records(lines)} == set(range(len(frames)))
    assert [p.name for p in target.parent.iterdir()] == ["o.mp4"]


@pytest.mark.parametrize("option", output_names(video=True))
def test_no_background(run, clip, tmp_path, option):
    out = tmp_path / "out.mp4"
    assert run("-f", clip, "-o", option, "--out", out, "--no_background")[0] == 0
    frames = pictures(out)
    assert len(frames) == 12
    for frame in frames:
        assert frame[165:].max() < 25  # the astronaut's shoulders
    assert max(frame.max() for frame in frames) > 90


def test_no_background_without_a_face(run, empty_clip, tmp_path):
    out = tmp_path / "out.mp4"
    assert run("-f", empty_clip, "--out", out, "--no_background")[0] == 0
    assert max(frame.max() for frame in pictures(out)) < 5
