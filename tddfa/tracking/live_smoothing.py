"""Smoothing without a look ahead: 1€ filters on pose, shape and expression of each track."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from tddfa.aligner import Aligner
from tddfa.face import Face
from tddfa.frame import Frame
from tddfa.params import N_CAMERA
from tddfa.tracking.face_state import FaceState
from tddfa.tracking.one_euro import Channels, OneEuro, RotationOneEuro, nearest_rotation

# A face that was away longer than this, in seconds, begins anew.
LONGEST_GAP = 0.2


def _filters() -> dict[str, OneEuro]:
    # Speeds are in radians, face sizes and standard deviations of the training faces per second.
    # The shape belongs to the person: it only becomes better known.
    return {
        "rotation": RotationOneEuro(min_cutoff=1.0, beta=20.0),
        "position": OneEuro(min_cutoff=1.0, beta=25.0),
        "stretch": OneEuro(min_cutoff=0.6, beta=20.0),
        "shape": OneEuro(min_cutoff=0.15, beta=0.0),
        "expression": OneEuro(min_cutoff=1.5, beta=0.2),
        "blendshapes": Channels(min_cutoff=0.6, beta=1.5),
    }


@dataclass
class _History:
    """Filters of one track."""

    time: float
    filters: dict[str, OneEuro] = field(default_factory=_filters)


class LiveSmoother:
    """Smooth the faces of successive frames; call it with each frame's faces.

    The camera is taken apart into a rotation, a position and what is left (scale, and the
    regressor's small departure from a scaled rotation); each part has its own filter. A face that
    does not move comes out as it went in.

    Parameters
    ----------
    aligner : Aligner
        What made the parameters.
    """

    def __init__(self, aligner: Aligner) -> None:
        self.aligner = aligner
        self._histories: dict[int | None, _History] = {}

    def __call__(self, faces: Iterable[Face], time: float, cut: bool = False) -> list[Face]:
        """Smooth the faces of the frame at `time` (seconds); at a cut everything begins anew."""
        if cut:
            self._histories.clear()
        smoothed = [self._smooth(face, time) for face in faces]
        self._histories = {
            number: history
            for number, history in self._histories.items()
            if 0 <= time - history.time <= LONGEST_GAP
        }
        return smoothed

    def _smooth(self, face: Face, time: float) -> Face:
        history = self._histories.get(face.track_id)
        dt = time - history.time if history else 0.0
        if history is None or not 0 <= dt <= LONGEST_GAP:
            history = self._histories[face.track_id] = _History(time)
            dt = LONGEST_GAP
        elif dt == 0:  # a clock too coarse: nothing can be said about speeds
            dt = 1e-3
        history.time = time
        run, size = history.filters, self.aligner.size
        state = FaceState.of(face, size)
        rotation = nearest_rotation(state.linear)
        stretch = rotation.T @ state.linear
        n_shape, std = len(state.shape), self.aligner.scale.std.astype(np.float64)
        shape_std = std[N_CAMERA : N_CAMERA + n_shape]
        expression_std = std[N_CAMERA + n_shape :]
        scale = float(np.linalg.norm(stretch))
        new = FaceState(
            linear=run["rotation"](rotation, dt) @ run["stretch"](stretch, dt, scale),
            offset=run["position"](state.offset, dt, max(face.size, 1.0)),
            shape=run["shape"](state.shape / shape_std, dt) * shape_std,
            expression=run["expression"](state.expression / expression_std, dt) * expression_std,
        )
        smoothed = new.apply(face, self.aligner)
        if face.blendshapes is None:
            return smoothed
        coefficients = run["blendshapes"](face.blendshapes.astype(np.float64), dt)
        return replace(smoothed, blendshapes=np.clip(coefficients, 0, 1).astype(np.float32))


def smooth_one_euro(frames: Iterable[Frame], aligner: Aligner) -> Iterator[Frame]:
    """Smooth the faces of frames as they come; no frame is delayed."""
    smoother = LiveSmoother(aligner)
    for frame in frames:
        yield replace(frame, faces=smoother(frame.faces, frame.time, frame.cut))
