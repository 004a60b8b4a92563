import numpy as np
import pytest

from tddfa.label.films import film_rows
from tddfa.label.talking_heads import TalkingHeads, steady_squares
from tddfa.video.open_film import open_film


def test_no_track():
    assert steady_squares({}) == {}


def test_by_hand():
    # A box 20 wide and 30 high around (50, 60): s = 15, so 50 ± 21, and from 60 - 15 to 60 + 27.
    (quad,) = steady_squares({7: [40, 45, 60, 75]}).values()
    assert quad.corners.tolist() == [[29, 45], [29, 87], [71, 87], [71, 45]]


def test_a_single_jump_is_left_out():
    boxes = {frame: np.array([10.0, 10, 30, 30]) for frame in range(30)}
    boxes[12] = boxes[12] + 100
    squares = steady_squares(boxes)
    assert all((quad.corners == squares[0].corners).all() for quad in squares.values())


def test_frames_without_the_face_lie_between():
    moving = {frame: np.array([0.0, 0, 20, 20]) + 2 * frame for frame in range(40)}
    gaps = {frame: box for frame, box in moving.items() if not 15 <= frame < 20}
    squares = steady_squares(gaps)
    assert list(squares) == list(range(40))
    for frame in range(6, 34):
        np.testing.assert_allclose(squares[frame].corners, steady_squares(moving)[frame].corners)


@pytest.mark.parametrize("every", [1, 4])
def test_a_video_for_each_track(portrait, pipeline, make_video, tmp_path, every):
    clip = make_video(tmp_path / "clip.mp4", [np.roll(portrait, n, axis=1) for n in range(10)])
    writer = TalkingHeads(tmp_path / "crops", 3, 96)
    rows = [row for one in film_rows(str(clip), pipeline, every, write_crops=writer) for row in one]
    assert {row["crop"] for row in rows} == {"00003/00003_track1.mp4"}
    with open_film(tmp_path / "crops" / rows[0]["crop"]) as reader:
        frames = list(reader)
    assert len(frames) == 10 and frames[0].image.shape == (96, 96, 3)
    # The face stays where it is while it moves through the picture.
    means = [frame.image[30:60, 30:60].mean() for frame in frames]
    assert np.ptp(means) < 12


def test_small_faces_are_left_out(portrait, pipeline, make_video, tmp_path):
    clip = make_video(tmp_path / "clip.mp4", [portrait] * 4)
    writer = TalkingHeads(tmp_path / "crops", 0, 96, least=1000)
    assert len(list(film_rows(str(clip), pipeline, write_crops=writer))) == 4
    assert not (tmp_path / "crops").exists()
