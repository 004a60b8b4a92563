"""Meshes of MakeHuman's assets, and how they follow the base mesh."""

import numpy as np
import pytest

from tddfa.errors import InputError
from training.renders.meshes import read_attachment, read_obj

OBJ = """v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0
vt 0 0
vt 1 0
vt 1 1
vt 0 1
g card
f 1/1 2/2 3/3 4/4
f 1/1 2/2 3/3
"""
CLOTHES = """# comment
name card
obj_file card.obj
x_scale 0 1 2.0
y_scale 0 1 1.0
z_scale 0 1 1.0
verts 0
material card.mhmat
0
0 1 2 0.5 0.5 0 0.1 0 0
1 1 1 1 0 0 0 0 0
2 2 2 1 0 0 0 0 0
"""
BASE = np.array([[0.0, 0, 0], [4, 1, 1], [0, 2, 0]])


@pytest.fixture
def card(tmp_path):
    (tmp_path / "card.obj").write_text(OBJ, encoding="utf-8")
    (tmp_path / "card.mhclo").write_text(CLOTHES, encoding="utf-8")
    return tmp_path / "card.mhclo"


def test_quads_and_triangles_are_read(card):
    obj = read_obj(card.with_suffix(".obj"))
    assert obj.quads["card"].tolist() == [[0, 1, 2, 3], [0, 1, 2, 2]]
    attachment = read_attachment(card)
    assert len(attachment.mesh.triangles) == 3
    np.testing.assert_array_equal(attachment.mesh.uv[0], [[0, 0], [1, 0], [1, 1]])


def test_vertices_follow_the_base_mesh_and_its_size(card):
    placed = read_attachment(card).place(BASE)
    # x_scale: the base vertices are 4 apart, so an offset of 0.1 is 0.1 * 4 / 2.
    np.testing.assert_allclose(placed, [[0, 0, 0], [2.2, 0.5, 0.5], [4, 1, 1], [0, 2, 0]])
    np.testing.assert_allclose(read_attachment(card).place(2 * BASE), 2 * placed)


@pytest.mark.parametrize("text", ["", "verts 0\n0\n", CLOTHES + "0\n"])
def test_malformed_assets_are_refused(card, text):
    card.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="expected an asset"):
        read_attachment(card)
