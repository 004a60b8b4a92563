from dataclasses import replace

import numpy as np
import pytest
import torch

from tddfa.arkit52 import MIRRORED
from training.augmentation.augment import PLAIN, Augmenter, AugmentSettings
from training.augmentation.geometry import show, turn_cameras, turn_matrices
from training.augmentation.occlusion import OcclusionSettings, cover, fill_borders, inside_polygon
from training.augmentation.views import ViewSettings, draw_views
from training.dataset.batch import CANVAS, INPUT, Crops
from training.regressor.basis import landmark_basis, mirror_matrix, vertex_basis

STILL = ViewSettings(0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0)


def coordinate_crops(packed, count=8) -> Crops:
    """Crops whose colors tell where a pixel was: blue its x, green its y in the canvas."""
    crops = packed.crops(np.arange(count))
    edge = torch.arange(CANVAS) + 0.5
    image = torch.zeros(CANVAS, CANVAS, 3)
    image[:, :, 0], image[:, :, 1] = edge, (CANVAS - edge)[:, None]
    images = image.expand(count, -1, -1, -1).contiguous()
    return Crops(**{**vars(crops), "images": images})


@pytest.fixture
def landmarks(model):
    return landmark_basis(model)


@pytest.fixture
def flip(model):
    return mirror_matrix(model)


def true_and_seen(crops, views, landmarks, flip):
    """Return the landmarks' places in the canvas, by label and by the colors seen there."""
    images, params, _ = show(crops, views, landmarks, flip)
    points = landmarks.vertices(params)[:, :, :2] - 0.5  # edge coordinates of the input
    grid = torch.stack([points[..., 0], INPUT - points[..., 1]], dim=2) * (2 / INPUT) - 1
    seen = torch.nn.functional.grid_sample(images, grid[:, None], align_corners=False)
    seen = seen[:, :2, 0].transpose(1, 2)
    source = torch.cat([crops.camera.flatten(1), crops.alpha], dim=1)
    return landmarks.vertices(source)[:, :, :2], seen, grid


@pytest.mark.parametrize(
    "settings",
    [
        STILL,
        replace(STILL, shift=0.05, log_scale=0.1),
        replace(STILL, roll=30.0, rolled=1.0),
        replace(STILL, landmark_policy=1.0),
        replace(STILL, shift=0.03, roll=20.0, rolled=1.0, landmark_policy=0.5),
    ],
)
def test_labels_follow_the_picture(settings, packed, landmarks, flip):
    crops = coordinate_crops(packed)
    views = draw_views(len(crops), settings, torch.Generator().manual_seed(1))
    true, seen, grid = true_and_seen(crops, views, landmarks, flip)
    within = (grid.abs() < 0.95).all(dim=2)
    assert within.float().mean() > 0.5
    torch.testing.assert_close(seen[within], true[within], atol=0.02, rtol=0)


def test_labels_follow_a_mirrored_picture(packed, landmarks, flip, model):
    crops = coordinate_crops(packed)
    views = draw_views(len(crops), replace(STILL, flip=1.0), torch.Generator().manual_seed(1))
    true, seen, grid = true_and_seen(crops, views, landmarks, flip)
    partner = [model.mirror[row] for row in model.keypoints.reshape(68, 3)[:, 0] // 3]
    rows = torch.from_numpy(np.array(partner))
    whole = vertex_basis(model, np.arange(model.n_vertices))
    source = torch.cat([crops.camera.flatten(1), crops.alpha], dim=1)
    true = whole.vertices(source)[:, rows, :2]
    within = (grid.abs() < 0.95).all(dim=2)
    torch.testing.assert_close(seen[within], true[within], atol=0.1, rtol=0)


def test_turned_surface_moves_with_its_labels(packed, landmarks, flip):
    """On a smooth surface the picture moves as the vertices do; here it is a tilted plane."""
    crops = coordinate_crops(packed)
    y, x = torch.meshgrid(
        CANVAS - (torch.arange(42) + 0.5) * 4, (torch.arange(42) + 0.5) * 4, indexing="ij"
    )
    plane = 0.3 * x - 0.2 * y + 5
    crops = Crops(**{**vars(crops), "depth": plane.expand(len(crops), -1, -1).contiguous()})
    views = draw_views(len(crops), STILL, torch.Generator().manual_seed(1))
    angle = torch.linspace(-0.2, 0.2, len(crops))
    views = replace(views, yaw=angle, pitch=-angle)
    images, params, _ = show(crops, views, landmarks, flip)
    rotation = turn_matrices(views.yaw, views.pitch)
    source = landmarks.vertices(torch.cat([crops.camera.flatten(1), crops.alpha], dim=1))
    center = source.mean(dim=1)
    spots = torch.tensor([[70.0, 90.0], [84.0, 84.0], [95.0, 70.0]])
    depth = 0.3 * spots[:, 0] - 0.2 * spots[:, 1] + 5
    spots3 = torch.cat([spots, depth[:, None]], dim=1).expand(len(crops), -1, -1)
    moved = (spots3 - center[:, None]) @ rotation.transpose(1, 2) + center[:, None]
    # What maps the turned canvas to the input maps the turned camera to the parameters.
    camera = turn_cameras(crops.camera, rotation, center)
    found = params[:, :12].reshape(-1, 3, 4)
    zoom = found[:, :2, :2] @ torch.linalg.inv(camera[:, :2, :2])
    offset = found[:, :2, 3] - 0.5 - (zoom @ camera[:, :2, 3:])[:, :, 0]
    places = (zoom[:, None] @ moved[:, :, :2, None])[..., 0] + offset[:, None]
    grid = torch.stack([places[..., 0], INPUT - places[..., 1]], dim=2) * (2 / INPUT) - 1
    seen = torch.nn.functional.grid_sample(images, grid[:, None], align_corners=False)
    torch.testing.assert_close(
        seen[:, :2, 0].transpose(1, 2), spots.expand(len(crops), -1, -1), atol=0.1, rtol=0
    )


def test_adjacent_frames_differ_little_and_share_their_still():
    settings = ViewSettings(frames=8)
    views = draw_views(32, settings, torch.Generator().manual_seed(0))
    for name, most in (("yaw", 10), ("pitch", 10), ("roll", 6)):
        angle = torch.rad2deg(getattr(views, name)).reshape(4, 8)
        assert (angle.amax(dim=1) - angle.amin(dim=1)).max() <= most
        assert (angle.amax(dim=1) - angle.amin(dim=1)).min() > 0
    assert all(len(set(row)) == 1 for row in views.flip.reshape(4, 8).tolist())


def test_same_seed_gives_the_same_batch(packed, landmarks, flip):
    augmenter = Augmenter(landmarks, flip, AugmentSettings())
    crops = packed.crops(np.arange(16))
    first, again, other = augmenter(crops, 1), augmenter(crops, 1), augmenter(crops, 2)
    assert torch.equal(first[0], again[0]) and torch.equal(first[1], again[1])
    assert not torch.equal(first[1], other[1])
    assert first[0].shape == (16, 3, 120, 120)
    assert first[0].min() >= -1 and first[0].max() <= 1


def test_plain_settings_show_the_crop_as_it_is(packed, landmarks, flip):
    settings = replace(PLAIN, views=replace(PLAIN.views, landmark_policy=0.0))
    images, _ = Augmenter(landmarks, flip, settings)(packed.crops(np.arange(4)), 0)
    middle = packed.images[:4, 24:144, 24:144].astype(np.float32).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(images.numpy() * 128 + 127.5, middle, atol=0.05)


def test_borders_are_filled_and_nothing_else(packed):
    crops = packed.crops(np.arange(4))
    crops = Crops(
        **{**vars(crops), "valid": torch.tensor([[0, 0, 168, 168]] * 3 + [[10, 0, 168, 168]])}
    )
    filled = fill_borders(crops, OcclusionSettings(fill_border=1.0), torch.Generator())
    assert torch.equal(filled.images[:3], crops.images[:3])
    assert torch.equal(filled.images[3, :, 10:], crops.images[3, :, 10:])
    kept = fill_borders(crops, OcclusionSettings(fill_border=0.0), torch.Generator())
    assert torch.equal(kept.images, crops.images)


def test_polygon_holds_its_middle_alone():
    y, x = torch.meshgrid(torch.arange(10), torch.arange(12), indexing="ij")
    ring = torch.tensor([[[1.5, 1.5], [9.5, 1.5], [9.5, 7.5], [1.5, 7.5]]])
    expected = (x > 1.5) & (x < 9.5) & (y > 1.5) & (y < 7.5)
    assert torch.equal(inside_polygon(x, y, ring)[0], expected)


@pytest.mark.parametrize("depth", [0.0, 0.25])
def test_a_cut_blackens_one_side_to_its_depth(depth):
    settings = OcclusionSettings(
        black_border=0, patch=0, face_mask=0, cut=1.0, cut_depth=(depth, depth)
    )
    images = torch.full((24, 3, 40, 40), 200.0)
    inside = torch.ones(24, 1, 40, 40, dtype=torch.bool)
    seen = cover(images, torch.zeros(24, 68, 2), inside, settings, torch.Generator())
    black = (seen == 0).all(dim=1)
    assert torch.equal(black, (seen == 0).any(dim=1))
    assert (black.sum(dim=(1, 2)) == round(40 * 40 * depth)).all()
    rows, columns = black.all(dim=2).sum(dim=1), black.all(dim=1).sum(dim=1)
    assert set((rows + columns).tolist()) == {round(40 * depth)}
    if depth:
        sides = {(int(b[0, 20]), int(b[-1, 20]), int(b[20, 0]), int(b[20, -1])) for b in black}
        assert len(sides) == 4


@pytest.mark.parametrize("flip_share", [0.0, 1.0])
def test_blendshapes_are_mirrored_with_the_face(flip_share, packed, landmarks, flip):
    shapes = np.random.default_rng(0).uniform(0, 1, (len(packed), 52)).astype(np.float32)
    faces = replace(packed, blendshapes=shapes)
    settings = replace(PLAIN, views=replace(PLAIN.views, flip=flip_share))
    _, plain = Augmenter(landmarks, flip, settings)(faces.crops(np.arange(4)), 0)
    _, truth = Augmenter(landmarks, flip, settings, blendshapes=True)(faces.crops(np.arange(4)), 0)
    assert torch.equal(truth[:, :62], plain)
    expected = shapes[:4, MIRRORED] if flip_share else shapes[:4]
    assert (truth[:, 62:].numpy() == expected).all()
