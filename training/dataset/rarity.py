"""Draw rare faces more often: closed eyes, open mouths, steep pitch, half profiles."""

import numpy as np
import numpy.typing as npt

from tddfa.morphable_model import MorphableModel
from training.evaluation.metrics import lid_gap, lip_gap
from training.labels.pseudo_labels import Labels, landmarks

# Of the labels: their open eyes measure 0.27, their closed ones 0.06.
CLOSED_LIDS, OPEN_LIPS = 0.07, 0.30
STEEP_PITCH = 15.0
# Beyond it one photo in twenty; turned faces show those poses, but not a true cheek and ear.
HALF_PROFILE = 25.0


def draw_weights(labels: Labels, model: MorphableModel) -> npt.NDArray[np.float64]:
    """Return how often each face is drawn, (n,), 1 for a common one.

    In photos two faces of a hundred have their eyes closed: drawn as they come, a network does well
    to leave them open.
    """
    points = landmarks(labels, model).transpose(0, 2, 1)
    weights = np.ones(len(labels.names))
    weights += 8.0 * (lid_gap(points).min(axis=1) < CLOSED_LIDS)
    weights += 1.0 * (lip_gap(points) > OPEN_LIPS)
    axis = labels.camera[:, :, 2]
    yaw, pitch = np.degrees(np.arcsin(np.abs(axis.T[:2]) / np.linalg.norm(axis, axis=1)))
    return weights + 1.0 * (pitch > STEEP_PITCH) + 2.0 * (yaw > HALF_PROFILE)
