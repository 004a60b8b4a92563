"""One clock for picture and sound: late starts, joined parts, leaps, repeats."""

from fractions import Fraction

import numpy as np
import pytest

from tddfa.video.clock import Clock
from tddfa.video.frame_times import FrameTimes
from tddfa.video.reader import VideoReader


def times(path):
    with VideoReader(path) as reader:
        return [picture.time for picture in reader], reader


def test_clock_starts_at_zero_and_keeps_offsets():
    clock = Clock(93_600.0)
    assert 93_600.0 + clock.move(0, 93_600.0, 0.04) == 0
    assert 93_600.5 + clock.move(1, 93_600.5, 0.02) == 0.5
    assert clock.leaps == 0


def test_joined_parts_move_by_the_same_amount():
    """Sound of the old part comes after the picture of the new one, as muxers interleave."""
    clock = Clock(100.0)
    for number in range(10):
        clock.move(0, 100 + number * 0.04, 0.04)
    for number in range(15):
        clock.move(1, 100.01 + number * 0.02, 0.02)
    picture = 5 + clock.move(0, 5.0, 0.04)
    late = 100.31 + clock.move(1, 100.31, 0.02)
    sound = 5.01 + clock.move(1, 5.01, 0.02)
    assert picture == pytest.approx(0.4) and late == pytest.approx(0.31)
    assert sound - picture == pytest.approx(0.01), "the parts' offset is lost"
    assert clock.leaps == 1


def test_gaps_are_kept_and_leaps_are_not():
    clock = Clock(0.0)
    clock.move(0, 0.0, 0.04)
    assert clock.move(0, 600.0, 0.04) == 0
    assert 1e6 + clock.move(0, 1e6, 0.04) == pytest.approx(600.04)
    assert 1e6 + 1 + clock.move(0, 1e6 + 1, 0.04) == pytest.approx(601.04)
    assert clock.leaps == 1


def test_still_picture_beside_long_sound_is_no_leap():
    clock = Clock(0.0)
    clock.move(0, 0.0, 0.04)
    for second in range(8000):
        clock.move(1, float(second), 1.0)
    assert clock.move(0, 7999.0, 0.04) == 0 and clock.leaps == 0


def test_one_wrong_time_stamp_does_not_carry_the_others_away():
    clock = Clock(0.0, end=1.0)
    moved = [t + clock.move(0, t, 0.02) for t in (0.0, 0.02, 2359.6, 0.06, 0.08)]
    np.testing.assert_allclose(moved, [0, 0.02, 0.04, 0.06, 0.08], atol=0.011)


def test_many_leaps_take_no_memory():
    clock = Clock(0.0)
    moved = [10_000.0 * n + clock.move(0, 10_000.0 * n, 0.04) for n in range(2000)]
    np.testing.assert_allclose(np.diff(moved), 0.04, atol=1e-6)
    assert len(clock._moves) <= 16


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ([0, 0, 40, 80], [0, 10, 40, 80]),
        ([0, 40, 40, 40, 80], [0, 40, 50, 60, 80]),
        ([5, 4, 45], [5, 15, 45]),
        ([None, None, 80, None], [0, 40, 80, 120]),
        ([0] * 7, [0, 10, 20, 30, 70, 110, 150]),
        ([0, 10**9, 10**9 + 40, 80, 120], [0, 40, 80, 120, 160]),
    ],
)
def test_frame_times(stated, expected):
    clock = FrameTimes(40, 3_600_000)
    assert [clock(time) for time in stated] == expected


def test_frame_times_in_stored_order():
    clock = FrameTimes(40, 3_600_000, by_order=True)
    found = []
    for sent, shown in [(0, None), (40, 0), (80, 120), (120, 80), (160, 40)]:
        clock.expect(sent)
        if shown is not None:
            found.append(clock(shown))
    assert found == [0, 40, 80, 120]


@pytest.mark.parametrize("late", [0.0, 0.2, -0.2])
@pytest.mark.parametrize(
    ("name", "sound", "start"),
    [
        ("a.ts", "mp2", 93_600.0),
        ("a.ts", "aac", 1.48),
        ("a.mkv", "flac", 70.0),
        ("a.mp4", "aac", 12.0),
        ("a.mpg", "mp2", 3.0),
    ],
)
def test_output_starts_at_zero(make_clip, copy_clip, timeline, tmp_path, name, sound, start, late):
    source = make_clip(
        tmp_path / name,
        sound,
        codec="mpeg2video" if name.endswith(("ts", "mpg")) else "mpeg4",
        start=start,
        picture_late=max(late, 0),
        sound_late=max(-late, 0),
    )
    copy_clip(source, tmp_path / "o.mp4")
    before, after = timeline(source), timeline(tmp_path / "o.mp4")
    assert -0.03 <= min(after["picture"][0], after["sound"][0]) < 0.03
    assert after["frames"] == 50
    np.testing.assert_allclose(
        np.subtract(after["flashes"], after["clicks"]),
        np.subtract(before["flashes"], before["clicks"]),
        atol=0.005,
    )


def test_hls_list(make_clip, copy_clip, timeline, tmp_path):
    options = {"hls_time": "1", "hls_list_size": "0"}
    source = make_clip(
        tmp_path / "a.m3u8", "aac", codec="libx264", start=1.48, format="hls",
        container_options=options, options={"g": "25"},
    )  # fmt: skip
    assert len(list(tmp_path.glob("*.ts"))) == 2
    copy_clip(source, tmp_path / "o.mp4")
    found = timeline(tmp_path / "o.mp4")
    assert found["frames"] == 50 and found["picture"][0] == pytest.approx(0, abs=0.03)
    np.testing.assert_allclose(np.subtract(found["flashes"], found["clicks"]), -0.02, atol=0.03)


@pytest.mark.parametrize("second", [0.0, 93_600.0, 5000.0])
def test_joined_broadcasts(make_clip, copy_clip, timeline, tmp_path, second):
    parts = [
        make_clip(tmp_path / f"{n}.ts", "mp2", codec="mpeg2video", start=start, count=50)
        for n, start in enumerate((100.0, second))
    ]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    reader = copy_clip(joined, tmp_path / "o.mp4")
    found = timeline(tmp_path / "o.mp4")
    assert found["frames"] == 100 and reader.leaps == 1
    assert found["picture"][1] == pytest.approx(3.96, abs=0.06)
    assert len(found["flashes"]) == len(found["clicks"]) == 4
    np.testing.assert_allclose(np.subtract(found["flashes"], found["clicks"]), -0.02, atol=0.03)


def test_long_gap_between_frames_is_kept(make_clip, copy_clip, tmp_path):
    """A film of one picture a minute is none whose clock leaps."""
    unit = Fraction(1, 1000)
    pts = [number * 60_000 for number in range(10)]
    source = make_clip(tmp_path / "a.mkv", codec="libx264", count=10, pts=pts, time_base=unit)
    copy_clip(source, tmp_path / "o.mp4")
    found, reader = times(tmp_path / "o.mp4")
    np.testing.assert_allclose(found, np.arange(10) * 60, atol=1e-3)
    assert reader.leaps == 0


@pytest.mark.parametrize("unit", [Fraction(1, 1000), Fraction(1, 1_000_000)])
def test_gaps_beyond_mp4_are_shortened(make_clip, copy_clip, tmp_path, unit):
    pts = [round(number * 40_000 / unit) for number in range(8)]
    source = make_clip(tmp_path / "a.nut", codec="libx264", count=8, pts=pts, time_base=unit)
    reader = copy_clip(source, tmp_path / "o.mp4")
    found, _ = times(tmp_path / "o.mp4")
    assert len(found) == 8 and found[-1] < 2 and np.all(np.diff(found) > 0)
    assert reader.leaps >= 6


@pytest.mark.parametrize("frames", [0, 3])
def test_b_frames_in_avi(make_clip, copy_clip, tmp_path, frames):
    """AVI numbers packets as stored; shown in another order, their numbers go back and forth."""
    options = {"bf": str(frames)}
    source = make_clip(tmp_path / "a.avi", "pcm_s16le", codec="libx264", options=options)
    copy_clip(source, tmp_path / "o.mp4")
    found, _ = times(tmp_path / "o.mp4")
    np.testing.assert_allclose(np.diff(found), 0.04, atol=1e-3)
    with VideoReader(tmp_path / "o.mp4") as reader:
        bright = [p.time for p in reader if p.image.mean() > 150]
    np.testing.assert_allclose(np.subtract(bright, found[0]), [0.48, 1.48], atol=1e-3)


def test_avi_whose_picture_starts_late(make_clip, copy_clip, timeline, tmp_path):
    """The header of a stream says how many frames late it starts."""
    source = make_clip(tmp_path / "a.avi", "pcm_s16le")
    data = bytearray(source.read_bytes())
    at = data.index(b"strh") + 8 + 28
    assert data[at : at + 4] == bytes(4)
    data[at] = 5
    source.write_bytes(data)
    copy_clip(source, tmp_path / "o.mp4")
    found = timeline(tmp_path / "o.mp4")
    np.testing.assert_allclose(found["flashes"], [0.68, 1.68], atol=0.005)
    np.testing.assert_allclose(found["clicks"], [0.5, 1.5], atol=0.005)
