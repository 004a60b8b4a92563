import numpy as np
import pytest

from FaceBoxes.settings import DetectorSettings
from FaceBoxes.tiles import detect_faces, plan_tiles
from tddfa.errors import InputError

SETTINGS = DetectorSettings()


class BrightSpots:
    """Detector of white squares on black, at least eight network pixels wide; shrinks as ours."""

    def __init__(self):
        self.settings = SETTINGS
        self.seen = []

    def detect(self, image):
        from FaceBoxes.preprocess import fit_scale

        height, width = image.shape[:2]
        scale = fit_scale(height, width, self.settings.max_height, self.settings.max_width)
        self.seen.append((height, width, scale))
        import cv2

        mask = (image[..., 0] > 128).astype(np.uint8)
        count, _, stats, _ = cv2.connectedComponentsWithStats(mask)
        rows = [
            [x, y, x + w, y + h, 0.6 + 0.3 * (min(w, h) > 20)]
            for x, y, w, h, _ in stats[1:count].tolist()
            if min(w, h) * scale >= 8
        ]
        return np.array(rows, np.float32).reshape(-1, 5)


@pytest.mark.parametrize(
    ("height", "width"), [(720, 1080), (3000, 4000), (4000, 6000), (1, 1), (300, 700), (700, 240)]
)
def test_ordinary_pictures_are_searched_once(height, width):
    assert plan_tiles(height, width, SETTINGS) is None


@pytest.mark.parametrize("detect_scale", [None, 0.3, 1.0])
@pytest.mark.parametrize(
    ("height", "width"), [(1500, 12000), (9000, 300), (9000, 12000), (65000, 300), (1, 65000)]
)
def test_tiles_cover_the_picture_and_fit_the_detector(height, width, detect_scale):
    tiling = plan_tiles(height, width, SETTINGS, detect_scale)
    assert tiling is not None
    covered = np.zeros((height // 50 + 1, width // 50 + 1), bool)
    for left, top, right, bottom in tiling.tiles:
        assert 0 <= left < right <= width and 0 <= top < bottom <= height
        assert (right - left) * tiling.scale <= SETTINGS.max_width
        assert (bottom - top) * tiling.scale <= SETTINGS.max_height
        covered[top // 50 : bottom // 50 + 1, left // 50 : right // 50 + 1] = True
    assert covered.all()
    for one in tiling.tiles:  # each inner border lies well within another tile
        for edge, side, length in ((one[2], 0, width), (one[3], 1, height)):
            others = [t for t in tiling.tiles if t[side] < edge < t[side + 2]]
            assert edge == length or any(
                (edge - t[side]) * tiling.scale > 200 * (min(height, width) * tiling.scale > 400)
                for t in others
            )


@pytest.mark.parametrize(("height", "width"), [(1500, 12000), (9000, 300), (30000, 40000)])
def test_time_is_bounded(height, width):
    tiling = plan_tiles(height, width, SETTINGS)
    area = sum((r - x) * (b - y) for x, y, r, b in tiling.tiles) * tiling.scale**2
    assert area < 40 * SETTINGS.max_height * SETTINGS.max_width


def test_settings():
    assert plan_tiles(9000, 300, SETTINGS, 0) is None
    assert plan_tiles(9000, 300, DetectorSettings(max_height=None, max_width=None)) is None
    for scale in (-0.1, 1.5, float("nan")):
        with pytest.raises(InputError, match="detect_scale"):
            plan_tiles(9000, 300, SETTINGS, scale)


@pytest.mark.parametrize("turned", [False, True])
def test_every_face_once_whatever_its_size(turned):
    image = np.zeros((1500, 12000, 3), np.uint8)
    faces = [(x, 40 + 97 * k, 30 + 9 * k) for k, x in enumerate(range(50, 11900, 907))]
    faces += [(3000, 700, 700)]  # as high as half the picture
    for x, y, size in faces:
        image[y : y + size, x : x + size] = 255
    if turned:
        image = np.ascontiguousarray(image.transpose(1, 0, 2))
    detector = BrightSpots()
    boxes = detect_faces(detector, image)
    assert all(scale == 1 for _, _, scale in detector.seen[1:])
    found = sorted((x, y, right - x) for x, y, right, _, _ in np.rint(boxes).tolist())
    expected = sorted((y, x, s) if turned else (x, y, s) for x, y, s in faces)
    assert len(found) == len(expected)
    np.testing.assert_allclose(found, expected, atol=5)
    assert (np.diff(boxes[:, 4]) <= 0).all()


def test_no_face_and_the_detectors_own_answer():
    assert detect_faces(BrightSpots(), np.zeros((9000, 300, 3), np.uint8)).shape == (0, 5)
    image = np.zeros((300, 300, 3), np.uint8)
    image[100:150, 100:150] = 255
    detector = BrightSpots()
    np.testing.assert_array_equal(detect_faces(detector, image), BrightSpots().detect(image))
    assert len(detector.seen) == 1


def test_faces_in_a_panorama(pipeline, project_root):
    """What the shrunken picture does not show."""
    import cv2

    face = cv2.imread(str(project_root / "examples" / "inputs" / "astronaut.png"))
    image = np.full((9000, 300, 3), 90, np.uint8)
    places = range(100, 8600, 1700)
    for top in places:
        image[top : top + 300] = cv2.resize(face, (300, 300), interpolation=cv2.INTER_AREA)
    assert len(pipeline.detector.detect(image)) == 0
    found = sorted(face.landmarks[1].mean() for face in pipeline(image))
    assert len(found) == len(places)
    np.testing.assert_allclose(np.diff(found), 1700, atol=15)
