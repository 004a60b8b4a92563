"""What a fit of the face model to landmarks finds, and the regressor's parameters of it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tddfa.landmark_basis import FloatArray

INPUT_SIDE = 120


@dataclass(frozen=True)
class FaceFit:
    """Fitted faces.

    Attributes
    ----------
    scale : ndarray, shape (n,)
        Pixels per model unit (mm).
    rotation : ndarray, shape (n, 3, 3)
        From the model's frame to the camera's: x right, y up, z towards the viewer.
    translation : ndarray, shape (n, 2)
        Where the model's origin lies, in pixels of the picture, **y down**.
    shape : ndarray, shape (n, S)
        Shape coefficients in standard deviations.
    expression : ndarray, shape (n, E)
        Expression coefficients, within the model's ranges.
    points : ndarray, shape (n, K, 2)
        Fitted landmarks in pixels of the picture, y down.
    residual : ndarray, shape (n,)
        Mean distance to the given points, as a part of the face's size (the square root of the
        area of the given points' bounding box).
    """

    scale: FloatArray
    rotation: FloatArray
    translation: FloatArray
    shape: FloatArray
    expression: FloatArray
    points: FloatArray
    residual: FloatArray

    def params(self, roi_boxes: npt.ArrayLike | None = None) -> npt.NDArray[np.float32]:
        """Return the regressor's parameters, 12 + S + E numbers a face.

        The first twelve are the 3x4 matrix [s·R | t], row by row, that maps the model into the
        120x120 crop of a ROI with y up, counted from its lower edge, and x 1-based: reconstruction
        from the crop's parameters and the ROI gives the picture's pixels back. t_z, which no
        landmark shows, is 0.

        Parameters
        ----------
        roi_boxes : array_like, shape (n, 4), optional
            ``[xmin, ymin, xmax, ymax]`` of each face's ROI. By default [0, 0, 120, 120]: the
            picture's own pixels.

        Returns
        -------
        ndarray, shape (n, 12 + S + E), float32
        """
        n = len(self.scale)
        roi = np.array([[0.0, 0.0, INPUT_SIDE, INPUT_SIDE]]) if roi_boxes is None else roi_boxes
        box = np.broadcast_to(np.asarray(roi, np.float64), (n, 4))
        zoom = INPUT_SIDE / (box[:, 2:] - box[:, :2])
        camera = np.zeros((n, 3, 4))
        by_row = np.column_stack([zoom, zoom.mean(1)]) * self.scale[:, None]
        camera[:, :, :3] = by_row[:, :, None] * self.rotation
        crop = (self.translation - box[:, :2]) * zoom
        camera[:, 0, 3], camera[:, 1, 3] = crop[:, 0] + 1, INPUT_SIDE - crop[:, 1]
        parts = [camera.reshape(n, 12), self.shape, self.expression]
        return np.concatenate(parts, axis=1).astype(np.float32)
