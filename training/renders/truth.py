"""What is true of a rendered head: points exactly, parameters by a fit to all of its surface."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from tddfa.morphable_model import MorphableModel
from training.dataset.batch import CANVAS, INPUT
from training.renders.heads import Head, vertices
from training.renders.library import Library

Array = npt.NDArray[np.float64]

MM_PER_DM = 100.0
ROUNDS = 6
RIDGE = 1e-5  # of a deviation, against a millimeter of every vertex
SAMPLED = 2600
# How much more landmarks and the rims of lids and lips count than any other vertex.
LANDMARK = 6.0


@dataclass(frozen=True)
class Placed:
    """A head in its picture.

    Attributes
    ----------
    neutral, base : ndarray, shape (19158, 3)
        MakeHuman's vertices in dm, in the head's own axes, without and with expression.
    center : ndarray, shape (3,)
        What the camera looks at, in dm.
    scale : float
        Pixels per dm there.
    shift : ndarray, shape (2,)
        Where `center` appears, in pixels from the canvas' lower left corner.
    """

    neutral: Array
    base: Array
    center: Array
    scale: float
    shift: Array

    def project(self, points: Array, head: Head) -> Array:
        """Return points (n, 3) in dm as pixels x, y (up) and depth (n, 3)."""
        seen = (points - self.center) @ head.rotation.T
        nearer = head.distance / (head.distance - seen[:, 2])
        out = self.scale * seen
        out[:, :2] *= nearer[:, None]
        out[:, :2] += self.shift
        return np.asarray(out)


@dataclass(frozen=True)
class Truth:
    """Labels of a head.

    Attributes
    ----------
    camera : ndarray, shape (3, 4), float32
    alpha : ndarray, shape (C,), float32
    rotation : ndarray, shape (3, 3), float32
        Of the face model.
    landmarks : ndarray, shape (3, 68), float32
        Canvas pixels, y up: of the very mesh that is drawn.
    points : ndarray, shape (478, 3), float32
        MediaPipe's, likewise.
    residual : float
        Mean distance of the fitted landmarks, in percent of the root of their box's area.
    """

    camera: npt.NDArray[np.float32]
    alpha: npt.NDArray[np.float32]
    rotation: npt.NDArray[np.float32]
    landmarks: npt.NDArray[np.float32]
    points: npt.NDArray[np.float32]
    residual: float


class Fitter:
    """Fits the face model to the surface that it was made of.

    Parameters
    ----------
    model : MorphableModel
    arrays : mapping
        The arrays of its file.
    """

    def __init__(self, model: MorphableModel, arrays: dict[str, npt.NDArray]) -> None:
        self.model = model
        special = np.unique(
            np.r_[
                model.landmark_vertices, arrays["lid_probes"].ravel(), arrays["lip_probes"].ravel()
            ]
        )
        generator = np.random.default_rng(0)
        inside = model.tri.inside
        skin = np.flatnonzero(~inside) if inside is not None else np.arange(model.n_vertices)
        front = skin[model.u.reshape(-1, 3)[skin, 2] > -20]
        some = generator.choice(front, min(SAMPLED, len(front)), replace=False)
        self.rows = np.r_[special, np.setdiff1d(some, special)]
        weight = np.ones(len(self.rows))
        weight[: len(special)] = LANDMARK
        self.weight = weight / weight.sum()
        basis = np.concatenate([model.w_shp, model.w_exp], axis=1).astype(np.float64)
        self.basis = basis.reshape(-1, 3, basis.shape[1])[self.rows]
        self.mean = model.u.reshape(-1, 3)[self.rows].astype(np.float64)
        self._flat = self.basis.reshape(-1, basis.shape[1])
        self._flat_weight = np.repeat(self.weight, 3)
        self._normal = (self._flat * self._flat_weight[:, None]).T @ self._flat
        self._normal += RIDGE * np.eye(len(self._normal))
        self.mediapipe = [arrays[f"mediapipe_{k}"] for k in ("vertices", "weights", "offset")]

    def fit(self, target: Array) -> tuple[Array, Array, Array]:
        """Return camera (3, 4), coefficients and rotation for surface points (n, 3) of `rows`.

        Gauss-Newton over coefficients, rotation, scale and place at once, in the model's frame.
        """
        count = self.basis.shape[2]
        alpha: Array = np.zeros(count)
        scale, rotation, offset = _similarity(self.mean, target, self.weight)
        for _ in range(ROUNDS):
            shape = self.mean + self.basis @ alpha
            rest = ((target - offset) @ rotation / scale - shape).ravel()
            # How a point moves when the face turns about each axis, grows, or is moved.
            moves = np.zeros((len(shape), 3, 7))
            for axis in range(3):
                moves[:, :, axis] = np.cross(np.eye(3)[axis], shape)
            moves[:, :, 3], moves[:, :, 4:] = shape, np.eye(3)
            flat = moves.reshape(-1, 7) * self._flat_weight[:, None]
            cross = self._flat.T @ flat
            normal = np.block([[self._normal, cross], [cross.T, moves.reshape(-1, 7).T @ flat]])
            toward = self._flat.T @ (self._flat_weight * rest) - RIDGE * alpha
            step = np.linalg.solve(normal, np.r_[toward, flat.T @ rest])
            alpha = alpha + step[:count]
            offset = offset + scale * rotation @ step[-3:]
            rotation = rotation @ Rotation.from_rotvec(step[count : count + 3]).as_matrix()
            scale *= float(np.exp(step[count + 3]))
        return np.column_stack([scale * rotation, offset]), alpha, rotation

    def truth(self, head: Head, placed: Placed, library: Library) -> Truth:
        """Return all labels of a head."""
        surface = library.anatomy.face(placed.neutral, placed.base)
        seen = placed.project(surface, head)
        camera, alpha, _ = self.fit(seen[self.rows])
        # The pose without perspective, which would turn what is beside the middle.
        own, _, rotation = self.fit(surface[self.rows] * MM_PER_DM)
        marks = seen[self.model.landmark_vertices]
        fitted = self._landmarks(alpha) @ camera[:, :3].T + camera[:, 3]
        size = np.sqrt(np.ptp(marks[:, :2], axis=0).prod())
        residual = 100 * np.linalg.norm((fitted - marks)[:, :2], axis=1).mean() / size
        corners, weights, offset = self.mediapipe
        mixed = np.einsum("kc,kci->ki", weights, surface[corners])
        # Offsets are in the model's millimeters: the head's own are of its scale.
        size_of = np.linalg.norm(own[:, :3], axis=0).mean()
        points = placed.project(mixed + offset @ (size_of * rotation.T) / MM_PER_DM, head)
        return Truth(
            camera.astype(np.float32),
            alpha.astype(np.float32),
            (head.rotation @ rotation).astype(np.float32),
            marks.T.astype(np.float32),
            points.astype(np.float32),
            float(residual),
        )

    def _landmarks(self, alpha: Array) -> Array:
        basis = self.model.sparse
        shape = basis.mean + np.tensordot(alpha.astype(np.float32), basis.components, axes=1)
        return np.asarray(shape.T, np.float64)


def place(head: Head, library: Library, model: MorphableModel) -> Placed:
    """Put a head into its picture: as a detector's ROI would, less exactly."""
    from tddfa.roi import parse_roi_box_from_landmark

    generator = np.random.default_rng((*head.seed, 1))
    neutral, base = vertices(head, library)
    marks = library.anatomy.face(neutral, base)[model.landmark_vertices]
    center = marks.mean(axis=0) - [0, 0, 0.5]
    rough = Placed(neutral, base, center, 1.0, np.zeros(2))
    points = rough.project(marks, head)[:, :2].T
    left, top, right, bottom = parse_roi_box_from_landmark(points * [[100], [-100]])
    side = (right - left) / 100
    scale = INPUT * generator.uniform(0.82, 1.08) / side
    middle = np.array([left + right, -(top + bottom)]) / 200
    shift = CANVAS / 2 - scale * middle + generator.normal(0, 3, 2)
    return Placed(neutral, base, center, float(scale), shift)


def _similarity(source: Array, target: Array, weight: Array) -> tuple[float, Array, Array]:
    """Return scale, rotation and offset that move points (n, 3) onto others (Umeyama, 1991)."""
    w = weight[:, None]
    middle, center = (w * source).sum(axis=0), (w * target).sum(axis=0)
    x, y = source - middle, target - center
    u, s, vt = np.linalg.svd((w * y).T @ x)
    sign = np.array([1, 1, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * sign) @ vt
    scale = float((s * sign).sum() / (w * x * x).sum())
    return scale, rotation, center - scale * rotation @ middle
