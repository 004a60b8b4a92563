"""A face's whole texture: nothing hidden is believed, what is missing is filled in."""

from dataclasses import replace

import numpy as np
import pytest

from Sim3DR import rasterize
from tddfa.drawing.texture import face_texture, seen_texture, vertex_belief, whole_textures
from tddfa.drawing.texture_completion import complete_texture
from tddfa.drawing.texture_map import SeenTexture, TextureMap
from tddfa.errors import InputError
from tddfa.model_files import load_face_model
from tddfa.morphable_model import MorphableModel
from tddfa.topology import Topology

SIDE, SIZE = 128, 300


@pytest.fixture(scope="module")
def model() -> MorphableModel:
    return load_face_model("configs/face_model.npz")


@pytest.fixture(scope="module")
def unrolled(model):
    return TextureMap.of(model.tri.uv, model.tri, SIDE, model.mirror)


def turned(model, yaw):
    """Return the mean face in a picture of SIZE, turned; positive yaw to the picture's left."""
    angle = np.radians(-yaw)
    turn = np.array(
        [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
    )
    points = model.u.reshape(-1, 3) @ turn.T
    points[:, 1] *= -1
    return np.ascontiguousarray((points + SIZE / 2).T, np.float32)


def test_the_map_knows_that_the_halves_mirror_each_other(model, unrolled):
    assert unrolled.symmetric
    assert not TextureMap.of(model.tri.uv, model.tri, 32).symmetric
    assert unrolled.covered.mean() > 0.5
    np.testing.assert_allclose(unrolled.weights.sum(1), 1, atol=1e-5)


def test_a_front_view_shows_both_cheeks_and_not_the_ears(model):
    belief = vertex_belief((SIZE, SIZE), turned(model, 0), model.tri)
    points = model.u.reshape(-1, 3)
    outer = np.abs(points[:, 0]) > 75
    cheek = (np.abs(np.abs(points[:, 0]) - 30) < 8) & (np.abs(points[:, 1] + 30) < 8)
    cheek &= points[:, 2] > 20
    assert cheek.sum() > 50 and belief[cheek].min() > 0.9
    assert belief[outer].mean() < 0.02


@pytest.mark.parametrize("yaw", [-60, 60])
def test_a_turned_head_hides_its_far_half(model, yaw):
    belief = vertex_belief((SIZE, SIZE), turned(model, yaw), model.tri)
    far = np.sign(yaw) * model.u.reshape(-1, 3)[:, 0] < -25
    assert belief[far].max() < 0.2
    assert belief[~far].max() > 0.9


@pytest.mark.parametrize("yaw", [0, 35, -50])
def test_background_does_not_get_onto_the_face(model, unrolled, yaw):
    vertices = turned(model, yaw)
    image = np.zeros((SIZE, SIZE, 3), np.uint8)
    image[:] = (255, 0, 0)  # a blue wall
    skin = np.tile(np.float32([0.4, 0.6, 0.8]), (model.n_vertices, 1))
    rasterize(np.ascontiguousarray(vertices.T), model.tri, skin, bg=image)
    # The mesh lies beside the face by two pixels of 300.
    beside = vertices + np.float32([[2], [0], [0]])
    texture = face_texture(image, beside, model.tri, unrolled)
    assert (
        np.abs(texture.astype(int) - (102, 153, 204))[
            unrolled.covered & (unrolled.cavity == 0)
        ].max()
        <= 6
    )


def test_the_hidden_half_is_the_mirrored_one_and_takes_this_halfs_light(model, unrolled):
    # Symmetric paint, and light that falls off across the picture.
    rows = np.linspace(0, 40, SIDE)[:, None]
    paint = np.repeat((100 + rows + 20 * np.abs(np.linspace(-1, 1, SIDE)))[..., None], 3, axis=2)
    lit = np.linspace(-15, 15, SIDE)[None, :, None]
    truth = (paint + lit).astype(np.float32)
    weights = unrolled.covered.astype(np.float32)
    weights[:, : SIDE * 2 // 5] = 0
    found = complete_texture(SeenTexture(truth * (weights > 0)[..., None], weights), unrolled)
    error = np.abs(found - truth)[unrolled.covered]
    assert error.mean() < 8
    # No step where what is seen ends.
    row = found[SIDE // 2, :, 0].astype(int)
    assert np.abs(np.diff(row[SIDE // 5 : SIDE * 4 // 5])).max() <= 6


def test_nothing_seen_at_all_gives_some_picture(model, unrolled):
    nothing = SeenTexture(np.zeros((SIDE, SIDE, 3), np.float32), np.zeros((SIDE, SIDE), np.float32))
    assert complete_texture(nothing, unrolled).shape == (SIDE, SIDE, 3)
    seen = seen_texture(
        np.full((20, 20, 3), 90, np.uint8), turned(model, 0) + 1000, model.tri, unrolled
    )
    assert not seen.weights.any()
    assert complete_texture(seen, unrolled)[unrolled.covered].min() >= 89


def test_several_faces_lie_side_by_side_on_black(model, unrolled):
    image = np.full((SIZE, SIZE, 3), 200, np.uint8)
    maps = whole_textures(image, [turned(model, 0), turned(model, 30)], model, SIDE)
    assert maps.shape == (SIDE, 2 * SIDE, 3)
    assert not maps[:, :SIDE][~unrolled.covered].any()
    assert (maps[:, SIDE:][unrolled.covered] == 200).mean() > 0.95
    assert whole_textures(image, [], model, SIDE).shape == (SIDE, 0, 3)


def test_a_model_without_coordinates_is_refused(model):
    bare = replace(model, tri=Topology(np.asarray(model.tri)))
    with pytest.raises(InputError, match="texture coordinates"):
        whole_textures(np.zeros((9, 9, 3), np.uint8), [turned(model, 0)], bare, 16)
