"""Labels from MediaPipe's points and a second opinion together, and which of them to doubt."""

import numpy as np
import numpy.typing as npt

from tddfa.face_fit import FaceFit
from tddfa.fit import LandmarkFitter
from tddfa.landmark_basis import N_MEDIAPIPE, LandmarkBasis, load_landmark_basis
from training.batch import CANVAS
from training.fusion import POINTS_ALONE, Faces, Fusion
from training.labels import MOST_DISAGREEMENT, MOST_RESIDUAL, Labels
from training.points import FacePoints
from training.second_opinion import SecondOpinion

FloatArray = npt.NDArray[np.floating]
# Beyond half profiles MediaPipe is wrong by more than that without another person being meant.
MOST_DISAGREEMENT_TURNED = 9.0
TURNED = 30.0


def common(found: FacePoints, second: SecondOpinion) -> tuple[FacePoints, SecondOpinion]:
    """Return the crops that both know, in the same order."""
    row = {name: i for i, name in enumerate(second.names.tolist())}
    names = found.names.tolist()
    index = np.array([row.get(name, -1) for name in names], int)
    keep = index >= 0
    return (
        FacePoints(found.names[keep], found.points[keep]),
        SecondOpinion(found.names[keep], second.points[index[keep]]),
    )


def yaw_of(rotation: FloatArray) -> FloatArray:
    """Return the yaw (n,) in degrees of rotations (n, 3, 3): where the model's z axis points."""
    return np.degrees(np.arctan2(rotation[:, 0, 2], rotation[:, 2, 2]))


def fuse(found: FacePoints, second: SecondOpinion, face_model: str | None) -> Labels:
    """Fit the face model to both opinions of the crops that both know.

    `residual` is that of MediaPipe's points alone, 0 where it does not count, and infinite for
    faces to doubt: its points do not fit a face, or both disagree (`labels.MOST_DISAGREEMENT`; more
    is granted to turned faces), or it finds no face where the second opinion sees no profile.
    """
    found, second = common(found, second)
    mesh = LandmarkFitter(load_landmark_basis(face_model, "mediapipe"))
    sparse = LandmarkFitter(load_landmark_basis(face_model, "ibug"))
    points = second.points.transpose(0, 2, 1) * np.array([1, -1, 1])
    known = np.isfinite(found.points).all(axis=(1, 2))
    # The fitters count pixels from their centers, MediaPipe from the picture's edge.
    marks = found.points[:, :N_MEDIAPIPE, :2].astype(np.float64) - 0.5
    first, other = mesh.fit(marks[known]), sparse.fit(points[:, :, :2] * [1, -1])
    yaw = yaw_of(other.rotation)
    start = _start(first, other, known, known & (np.abs(yaw) < POINTS_ALONE), points)
    faces = Fusion(mesh.basis, sparse.basis).fit(start, marks * [1, -1], points, yaw)
    camera = np.zeros((len(yaw), 3, 4), np.float32)
    camera[:, :, :3] = faces.scale[:, None, None] * faces.rotation
    camera[:, 0, 3] = faces.translation[:, 0] + 0.5
    camera[:, 1, 3] = CANVAS + faces.translation[:, 1] - 0.5
    apart, residual = np.full((2, len(yaw)), np.inf)
    apart[known] = _distance(_landmarks(first, sparse.basis), points[known])
    residual[known] = 100 * first.residual
    limit = np.where(np.abs(yaw) > TURNED, MOST_DISAGREEMENT_TURNED, MOST_DISAGREEMENT)
    alone = np.abs(yaw) >= POINTS_ALONE
    good = (residual < MOST_RESIDUAL) & (apart < limit)
    kept = np.where(alone, 0.0, np.where(good, residual, np.inf)).astype(np.float32)
    return Labels(found.names, camera, faces.alpha.astype(np.float32), kept)


def _start(
    first: FaceFit,
    other: FaceFit,
    known: npt.NDArray[np.bool_],
    near: npt.NDArray[np.bool_],
    points: FloatArray,
) -> Faces:
    """Return MediaPipe's fit of the faces `near`, the second opinion's of the others."""
    own, its = (
        [f.scale, f.rotation, f.translation, np.concatenate([f.shape, f.expression], axis=1)]
        for f in (first, other)
    )
    for target, source in zip(its, own, strict=True):
        target[near] = source[near[known]]
    scale, rotation, flat, alpha = its
    translation = np.column_stack([flat * [1, -1], points[:, :, 2].mean(axis=1)])
    return Faces(scale, rotation, translation, alpha)


def _landmarks(fit: FaceFit, b: LandmarkBasis) -> FloatArray:
    """Return the 68 landmarks (n, 68, 2), y up, of faces fitted to other points."""
    alpha = np.concatenate([fit.shape, fit.expression], axis=1)
    shape = b.mean + np.tensordot(alpha, b.components, axes=(1, 2))
    flat = fit.scale[:, None, None] * (shape @ fit.rotation[:, :2].transpose(0, 2, 1))
    return flat + (fit.translation * [1, -1])[:, None]


def _distance(points: FloatArray, other: FloatArray) -> FloatArray:
    """Return the mean distance (n,) in percent of the root of the other's box."""
    size = np.sqrt(np.ptp(other[:, :, :2], axis=1).prod(axis=1))
    return 100 * np.linalg.norm(points - other[:, :, :2], axis=2).mean(axis=1) / size
