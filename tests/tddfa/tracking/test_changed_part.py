import numpy as np
import pytest

from tddfa.tracking.changed_part import ChangedPart

WHOLE = (0, 0, 640, 360)


@pytest.fixture
def frame():
    return np.random.default_rng(0).integers(40, 200, (360, 640, 3), np.uint8)


def covers(part, box):
    return part[0] <= box[0] and part[1] <= box[1] and part[2] >= box[2] and part[3] >= box[3]


def test_everything_at_first_and_nothing_where_nothing_changes(frame):
    changes = ChangedPart()
    assert changes(frame) == WHOLE
    assert changes(frame) is None
    changes.forget()
    assert changes(frame) == WHOLE


@pytest.mark.parametrize("left, top", [(0, 0), (300, 150), (600, 320)])
@pytest.mark.parametrize("size", [20, 40, 120])
def test_part_holds_what_changed_with_a_margin(frame, left, top, size):
    changes = ChangedPart()
    changes(frame)
    box = (left, top, min(left + size, 640), min(top + size, 360))
    frame[box[1] : box[3], box[0] : box[2]] = 250
    part = changes(frame)
    wider = (max(0, left - 16), max(0, top - 16), min(640, box[2] + 16), min(360, box[3] + 16))
    assert covers(part, wider)
    assert part != WHOLE
    assert changes(frame) is None


def test_noise_is_no_change(frame):
    changes, rng = ChangedPart(), np.random.default_rng(1)
    changes(frame)
    noisy = frame + rng.normal(0, 6, frame.shape)
    assert changes(np.clip(noisy, 0, 255).astype(np.uint8)) is None


def test_slow_changes_add_up(frame):
    changes = ChangedPart()
    changes(frame)
    found = []
    for _ in range(3):
        frame[100:200, 100:200] += 2
        found.append(changes(frame))
    assert found[:2] == [None, None] and covers(found[2], (100, 100, 200, 200))


def test_everything_again_after_some_time(frame):
    changes = ChangedPart()
    assert [changes(frame) for _ in range(9)].count(WHOLE) == 3


@pytest.mark.parametrize(
    "after",
    [
        lambda frame: np.ascontiguousarray(frame[:, ::-1]),
        lambda frame: np.ascontiguousarray(frame[:200]),
        lambda frame: frame // 2,
    ],
    ids=["another scene", "another size", "darker"],
)
def test_large_changes_are_searched_whole(frame, after):
    changes = ChangedPart()
    frame[:, :320] //= 3
    changes(frame)
    image = after(frame)
    assert changes(image) == (0, 0, image.shape[1], image.shape[0])


@pytest.mark.parametrize("shape", [(1, 1), (7, 3000), (2000, 9)])
def test_odd_sizes(shape):
    changes = ChangedPart()
    image = np.zeros((*shape, 3), np.uint8)
    assert changes(image) == (0, 0, shape[1], shape[0])
    assert changes(image) is None
    image[...] = 99
    assert changes(image) == (0, 0, shape[1], shape[0])
