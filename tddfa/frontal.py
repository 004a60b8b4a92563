r"""Faces without their pose: what is left of a reconstruction is shape and expression.

::

    picture                 frontal, in the face model's frame and unit

      .--.                     .----.     .----.
     ( o o\         ->         ( o  o )   ( o  o )     y
      \  >/  .--.               |  > |     |  > |      |
       '-'  /o o )              '----'     '----'      +-- x    z to the viewer
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tddfa.morphable_model import MorphableModel
from tddfa.params import FloatArray, split_params
from tddfa.reconstruct import reconstruct_vertices

# Distance between neighbors' centers in widths of the widest face.
_SPACING = 1.25


def frontal_vertices(model: MorphableModel, param_lst: Sequence[npt.ArrayLike]) -> list[FloatArray]:
    """Return each face's vertices as if it looked straight at the viewer.

    Parameters
    ----------
    model : MorphableModel
        The face model, ``tddfa.bfm``.
    param_lst : sequence of n arrays, shape (62,)
        De-normalized parameters; of these only shape and expression count.

    Returns
    -------
    list of n ndarrays, shape (3, N), float32
        In the face model's unit (millimeters in ours, about micrometers in the Basel model), not
        scaled to the picture. x right and **y down**, as all vertices that the drawing functions
        and exporters take; larger z is nearer. The origin is the model's own (in ours the middle of
        the head), so that faces compare vertex by vertex.

    Raises
    ------
    InputError
        If the parameters do not fit the model.
    """
    if not len(param_lst):
        return []
    params = split_params(np.stack([np.asarray(param, np.float32) for param in param_lst]))
    upright = np.diag(np.array([1, -1, 1, 1], np.float32))[:3]
    cameras = np.repeat(upright[None], len(param_lst), axis=0)
    vertices = reconstruct_vertices(model.dense, params, cameras)
    # It puts the farthest vertex of each face at z = 0: back to where the model has it.
    shape, expression = params.shape[..., 0], params.expression[..., 0]
    first = model.u[2, 0] + shape @ model.w_shp[2, : shape.shape[1]].astype(np.float32)
    first += expression @ model.w_exp[2, : expression.shape[1]].astype(np.float32)
    vertices[:, 2] += (first - vertices[:, 2, 0])[:, None]
    return list(vertices)


def side_by_side(
    faces: Sequence[FloatArray], places: Sequence[float] | None = None
) -> list[FloatArray]:
    """Move faces (3, N) that lie upon each other apart along x.

    The first one from the left stays where it is, the next ones stand a width and a quarter to the
    right of each other.

    Parameters
    ----------
    faces : sequence of n ndarrays, shape (3, N)
        Vertices.
    places : sequence of n floats, optional
        Where the faces are in the picture: they keep that order; by default their own.
    """
    if not len(faces):
        return []
    step = _SPACING * max(float(np.ptp(face[0])) for face in faces)
    order = np.argsort(np.argsort(range(len(faces)) if places is None else places, kind="stable"))
    shifts = [np.array([[rank * step], [0], [0]], np.float32) for rank in order]
    return [face + shift for face, shift in zip(faces, shifts, strict=True)]
