"""A face in the frame of the picture, so that successive ones can be averaged.

The regressor's parameters are relative to the crop, which moves with the face; the same head gives
other numbers in every frame. Here the camera maps model units to pixels of the picture, with y up
so that its rotation is a rotation.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tddfa.aligner import Aligner
from tddfa.face import Face
from tddfa.params import split_params
from tddfa.reconstruct import image_cameras, reconstruct_vertices

DoubleArray = npt.NDArray[np.float64]
_Y_UP = np.array([1.0, -1.0, 1.0])[:, None]


@dataclass(frozen=True)
class FaceState:
    """Camera, shape and expression of a face.

    Attributes
    ----------
    linear : ndarray, shape (3, 3), float64
        Scaled rotation from model units to pixels, x right, y up, z to the viewer.
    offset : ndarray, shape (3,), float64
        Where the model's origin lies, pixels: x right, y **down**, z to the viewer.
    shape, expression : ndarray, shape (S,) and (E,), float64
        Coefficients.
    """

    linear: DoubleArray
    offset: DoubleArray
    shape: DoubleArray
    expression: DoubleArray

    @classmethod
    def of(cls, face: Face, size: int) -> "FaceState":
        """Return the state of a face that was seen in a crop of `size` pixels."""
        parts = split_params(face.param[None])
        camera = image_cameras(parts, [face.roi_box], size)[0].astype(np.float64)
        return cls(
            linear=camera[:, :3] * _Y_UP,
            offset=camera[:, 3],
            shape=parts.shape[0, :, 0].astype(np.float64),
            expression=parts.expression[0, :, 0].astype(np.float64),
        )

    def param(self, roi_box: list[float], size: int) -> npt.NDArray[np.float32]:
        """Return the parameters that describe this state relative to a crop; inverse of `of`."""
        left, top, right, bottom = roi_box
        scale = np.array([right - left, bottom - top, 0.0]) / size
        scale[2] = scale[:2].mean()
        corner = np.array([left, top + scale[1] * size, 0.0])
        # x and z are 1-based in the crop, y counts from its lower edge, see `image_cameras`.
        shift = np.array([1.0, 0.0, 1.0])
        offset = (self.offset - corner) / scale * _Y_UP[:, 0] + shift
        camera = np.hstack([self.linear / scale[:, None], offset[:, None]])
        return np.concatenate([camera.ravel(), self.shape, self.expression]).astype(np.float32)

    def apply(self, face: Face, aligner: Aligner) -> Face:
        """Return `face` in this state, its landmarks and vertices (if it has any) made anew."""
        param = self.param(face.roi_box, aligner.size)
        parts = split_params(param[None])
        camera = np.hstack([self.linear * _Y_UP, self.offset[:, None]])[None].astype(np.float32)
        dense = face.dense
        if dense is not None:
            dense = reconstruct_vertices(aligner.bfm.dense, parts, camera)[0]
        landmarks = reconstruct_vertices(aligner.bfm.sparse, parts, camera)[0]
        return replace(face, param=param, landmarks=landmarks, dense=dense)
