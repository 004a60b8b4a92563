"""Labels from MediaPipe's points and a second opinion together, and which of them to doubt."""

import numpy as np
import numpy.typing as npt

from tddfa.face_fit import FaceFit
from tddfa.fit import LandmarkFitter
from tddfa.ibug68 import INNER
from tddfa.landmark_basis import N_MEDIAPIPE, LandmarkBasis, load_landmark_basis
from tddfa.morphable_model import MorphableModel
from tddfa.pixel_frames import to_centers, turned_over
from training.dataset.batch import CANVAS
from training.labels.agreement import label_weights
from training.labels.annotation import Annotations
from training.labels.joint_fit import POINTS_ALONE, Faces, Fusion, mesh_share, reach
from training.labels.pseudo_labels import (
    MOST_DISAGREEMENT,
    MOST_RESIDUAL,
    Labels,
    angles,
    canvas_cameras,
    disagreement,
    landmarks,
)
from training.mediapipe_points import FacePoints
from training.teacher_landmarks import SecondOpinion

FloatArray = npt.NDArray[np.floating]
# Beyond half profiles MediaPipe is wrong by more than that without another person being meant.
MOST_DISAGREEMENT_TURNED = 9.0
# Inner points marked by hand, which scatter and do not mean quite the same places.
MOST_RESIDUAL_BY_HAND = 4.5
TURNED = 30.0
# MediaPipe counts half at this yaw; its networks say that there is no face on many a profile.
MESH_UNNEEDED = 45.0


def common(found: FacePoints, second: SecondOpinion) -> tuple[FacePoints, SecondOpinion]:
    """Return the crops that both know, in the same order."""
    row = {name: i for i, name in enumerate(second.names.tolist())}
    names = found.names.tolist()
    index = np.array([row.get(name, -1) for name in names], int)
    keep = index >= 0
    return (
        FacePoints(found.names[keep], found.points[keep]),
        SecondOpinion(
            found.names[keep],
            second.points[index[keep]],
            None if second.spread is None else second.spread[index[keep]],
        ),
    )


def fuse(
    found: FacePoints,
    second: SecondOpinion,
    model: MorphableModel,
    face_model: str | None = None,
    annotations: Annotations | None = None,
) -> Labels:
    """Fit the face model to both opinions of the crops that both know.

    `face_model` is the file that `model` was read from, the one that ships if left out.

    `residual` is that of MediaPipe's points alone, 0 where it does not count, and infinite for
    faces to doubt: its points do not fit a face, or both disagree (`labels.MOST_DISAGREEMENT`; more
    is granted to turned faces), or it finds no face where the second opinion sees none that is
    turned far: beyond `MESH_UNNEEDED` several networks that agree do without. Faces that meet
    `annotations` are not to doubt. `weight` tells how well all agree, see `agreement`.
    """
    found, second = common(found, second)
    mesh = LandmarkFitter(load_landmark_basis(face_model, "mediapipe"))
    sparse = LandmarkFitter(load_landmark_basis(face_model, "ibug"))
    points = second.points.transpose(0, 2, 1) * np.array([1, -1, 1])
    known = np.asarray(np.isfinite(found.points).all(axis=(1, 2)))
    # The fitters count pixels from their centers, MediaPipe from the picture's edge.
    marks = to_centers(found.points[:, :N_MEDIAPIPE, :2].astype(np.float64))
    first, other = mesh.fit(marks[known]), sparse.fit(points[:, :, :2] * [1, -1])
    yaw, _ = angles(other.rotation)
    start = _start(first, other, known, known & (np.abs(yaw) < POINTS_ALONE), points)
    by_hand = None if annotations is None else annotations.of(found.names)
    up = None if by_hand is None else by_hand * [1, -1]
    faces = _fusion(mesh.basis, sparse.basis, model).fit(start, marks * [1, -1], points, yaw, up)
    own = Labels(
        found.names[known],
        canvas_cameras(first.scale, first.rotation, first.translation),
        np.concatenate([first.shape, first.expression], axis=1).astype(np.float32),
        (100 * first.residual).astype(np.float32),
    )
    apart, residual = np.full((2, len(yaw)), np.inf)
    apart[known] = disagreement(own, model, second)
    residual[known] = own.residual
    limit = np.where(np.abs(yaw) > TURNED, MOST_DISAGREEMENT_TURNED, MOST_DISAGREEMENT)
    alone = np.abs(yaw) >= POINTS_ALONE
    if second.spread is not None:
        alone |= ~known & (np.abs(yaw) >= MESH_UNNEEDED)
    good = (residual < MOST_RESIDUAL) & (apart < limit)
    kept = np.where(alone, 0.0, np.where(good, residual, np.inf)).astype(np.float32)
    share = np.where(known, mesh_share(yaw), 0.0)
    weight = label_weights(yaw, second.spread, apart, share)
    labels = _labels(found.names, faces, kept, weight)
    if by_hand is not None:
        met = _distance_to_marks(labels, model, by_hand)
        kept[met < MOST_RESIDUAL_BY_HAND] = 0.0
        kept[met >= MOST_RESIDUAL_BY_HAND] = np.inf
    return labels


def fit_alone(found: FacePoints, model: MorphableModel, face_model: str | None = None) -> Labels:
    """Fit the face model to MediaPipe's points alone; crops without points are left out.

    First as a whole (`tddfa.fit`), then once more by `joint_fit`, which looks at lids and lips by
    themselves; of the first fit its own landmarks stay, in the place of another opinion, and its
    residual, which tells other people's faces from this one.
    `face_model` is the file that `model` was read from, the one that ships if left out.
    """
    known = np.isfinite(found.points).all(axis=(1, 2))
    mesh = LandmarkFitter(load_landmark_basis(face_model, "mediapipe"))
    sparse = load_landmark_basis(face_model, "ibug")
    # The fitter counts pixels from their centers, MediaPipe from the picture's edge.
    marks = to_centers(found.points[known, :N_MEDIAPIPE, :2].astype(np.float64))
    first = mesh.fit(marks)
    alpha = np.concatenate([first.shape, first.expression], axis=1)
    translation = np.column_stack([first.translation * [1, -1], np.zeros(len(alpha))])
    start = Faces(first.scale, first.rotation, translation, alpha)
    shape = sparse.mean + np.tensordot(alpha, sparse.components, axes=(1, 2))
    points = first.scale[:, None, None] * (shape @ first.rotation.transpose(0, 2, 1))
    points += translation[:, None]
    yaw, _ = angles(first.rotation)
    fusion = _fusion(mesh.basis, sparse, model)
    faces = fusion.fit(start, marks * [1, -1], points, yaw, mesh_alone=True)
    return _labels(found.names[known], faces, (100 * first.residual).astype(np.float32))


def _fusion(mesh: LandmarkBasis, points: LandmarkBasis, model: MorphableModel) -> Fusion:
    """Return the fit of a model at MediaPipe's points and at the 68 landmarks."""
    return Fusion(mesh, points, bounds=reach(mesh.exp_range, model.exp_names))


def _labels(
    names: npt.NDArray[np.str_],
    faces: Faces,
    residual: npt.NDArray[np.float32],
    weight: npt.NDArray[np.float32] | None = None,
) -> Labels:
    """Return the labels of faces, which count pixels upwards from their centers."""
    camera = canvas_cameras(faces.scale, faces.rotation, faces.translation[:, :2] * [1, -1])
    given = () if weight is None else (weight,)
    return Labels(names, camera, faces.alpha.astype(np.float32), residual, *given)


def _distance_to_marks(labels: Labels, model: MorphableModel, marks: FloatArray) -> FloatArray:
    """Return the mean distance of the inner 51 points in percent of the box, NaN without marks."""
    own = to_centers(turned_over(landmarks(labels, model)[:, INNER, :2], CANVAS))
    size = np.sqrt(np.ptp(marks, axis=1).prod(axis=1))
    return np.asarray(100 * np.linalg.norm(own - marks[:, INNER], axis=2).mean(axis=1) / size)


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
