"""Users' files that went wrong."""

from fractions import Fraction

import av
import numpy as np
import pytest

from tddfa.video.reader import VideoReader

CASES = [
    # name, frames, length in seconds, leaps of the clock
    ("damaged_audio_header.flv", 12, 0.585, None),
    ("resolution_changes.ts", 25, 1.05, 1),
    ("timestamps_go_back.ts", 26, 1.05, 1),
    ("audio_192khz.mkv", 25, 0.96, 0),
    ("far_apart_timestamps.mkv", 20, 0.76, 19),
    ("duplicate_timestamps.nut", 11, 0.36, 0),
    ("damaged_packets.avi", 15, 0.6, 0),
    ("ts_26h.ts", 40, 1.57, 0),
    ("sar43.mp4", 40, 1.56, 0),
]


@pytest.mark.parametrize(("name", "frames", "length", "leaps"), CASES)
def test_case(shared, copy_clip, plain_count, tmp_path, name, frames, length, leaps):
    source = shared / "cases" / name
    reader = copy_clip(source, tmp_path / "o.mp4")
    with VideoReader(tmp_path / "o.mp4") as result:
        times = [picture.time for picture in result]
    assert len(times) == frames == plain_count(source)
    assert np.all(np.diff(times) > 0)
    assert times[-1] == pytest.approx(length, abs=0.03)
    assert leaps is None or reader.leaps == leaps
    with av.open(str(tmp_path / "o.mp4")) as container:
        assert container.start_time == 0
        assert container.duration / 1e6 < length + 0.6
        if name == "audio_192khz.mkv":
            assert container.streams.audio[0].codec_context.sample_rate == 96_000
        if name == "sar43.mp4":
            assert container.streams.video[0].sample_aspect_ratio == Fraction(4, 3)


def test_repeated_times_stay_within_half_a_frame(shared):
    source = shared / "cases" / "duplicate_timestamps.nut"
    with av.open(str(source)) as container:
        stated = [float(f.pts * f.time_base) for f in container.decode(video=0)]
    with VideoReader(source) as reader:
        times = [picture.time for picture in reader]
    assert np.abs(np.subtract(times, stated)).max() < 0.02
