"""Draw at random what a head is like, where it looks and what it wears; from a seed alone."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from tddfa import arkit52
from tddfa.errors import InputError
from training.face_model.expression import sample_activations
from training.face_model.identity import IdentitySpace
from training.renders.library import Library

Array = npt.NDArray[np.float64]

GAZE = 28.0  # degrees of a full eyeLook coefficient
# Full lids of MakeHuman's units overshoot by 2 mm: so much of them shuts the eyes.
SHUT = 0.78


@dataclass(frozen=True)
class PoseRange:
    """Where heads look, in degrees: the largest yaw, pitch and roll, and shares of easier ones.

    Attributes
    ----------
    yaw, pitch, roll : float
    upright : float
        Share of heads rolled by little.
    """

    yaw: float = 95.0
    pitch: float = 45.0
    roll: float = 180.0
    upright: float = 0.55

    def __post_init__(self) -> None:
        if not 0 <= self.roll <= 180:
            raise InputError(f"--roll: expected degrees from 0 to 180, got {self.roll:g}")


@dataclass(frozen=True)
class Head:
    """One head and its picture, before anything is drawn.

    Attributes
    ----------
    identity : ndarray
        Coefficients of `IdentitySpace`.
    blendshapes : ndarray, shape (52,), float64
        In the order of `tddfa.arkit52.NAMES`.
    gaze : ndarray, shape (2,)
        Degrees to the subject's left and up.
    yaw, pitch, roll : float
        Degrees, signs of `tddfa.pose.HeadPose`.
    distance : float
        From the camera, in dm.
    seed : tuple of int
        Of everything that is drawn later: materials, light, background.
    """

    identity: Array
    blendshapes: Array
    gaze: Array
    yaw: float
    pitch: float
    roll: float
    distance: float
    seed: tuple[int, int]

    @property
    def rotation(self) -> Array:
        """From the head's axes to the camera's (x right, y up, z to the viewer), (3, 3)."""
        angles = [self.roll, -self.yaw, self.pitch]
        return np.asarray(Rotation.from_euler("ZYX", angles, degrees=True).as_matrix())


def draw_pose(generator: np.random.Generator, ranges: PoseRange) -> tuple[float, float, float]:
    """Return yaw, pitch and roll: every yaw alike, pitch about zero, roll small or any."""
    yaw = generator.uniform(-ranges.yaw, ranges.yaw)
    pitch = float(
        generator.uniform(-ranges.pitch, ranges.pitch)
        if generator.random() < 0.5
        else np.clip(generator.normal(0, 12), -ranges.pitch, ranges.pitch)
    )
    if generator.random() < ranges.upright:
        roll = float(np.clip(generator.normal(0, 15), -ranges.roll, ranges.roll))
    else:
        roll = generator.uniform(-ranges.roll, ranges.roll)
    return float(yaw), pitch, float(roll)


def draw_expression(generator: np.random.Generator, names: list[str]) -> tuple[Array, Array]:
    """Return ARKit's 52 coefficients and the gaze; one in seven faces is neutral."""
    seed = int(generator.integers(2**31))
    drawn = dict(zip(names, sample_activations(names, 1, seed)[0], strict=True))
    strength = 0.0 if generator.random() < 0.15 else generator.uniform(0.5, 1.1)
    values = np.zeros(len(arkit52.NAMES))
    for k, name in enumerate(arkit52.NAMES):
        values[k] = np.clip(strength * drawn.get(name, 0.0), 0, 1)
    gaze = generator.normal(0, (9.0, 5.0))
    across, up = np.clip(gaze / GAZE, -1, 1)
    for side, sign in (("Left", 1), ("Right", -1)):
        put = {"Out": sign * across, "In": -sign * across, "Up": up, "Down": -up}
        for where, value in put.items():
            k = arkit52.NAMES.index(f"eyeLook{where}{side}")
            values[k] = max(0.0, float(value))
    return values, gaze


def draw_head(
    seed: int, number: int, space: IdentitySpace, names: list[str], ranges: PoseRange
) -> Head:
    """Draw one head; the same seed and number give the same one."""
    generator = np.random.default_rng((seed, number))
    blendshapes, gaze = draw_expression(generator, names)
    yaw, pitch, roll = draw_pose(generator, ranges)
    return Head(
        identity=space.sample(1, int(generator.integers(2**31)))[0],
        blendshapes=blendshapes,
        gaze=gaze,
        yaw=yaw,
        pitch=pitch,
        roll=roll,
        distance=float(np.exp(generator.uniform(np.log(9), np.log(40)))),
        seed=(seed, number),
    )


def vertices(head: Head, library: Library) -> tuple[Array, Array]:
    """Return the base mesh's vertices (19158, 3) in dm, without and with expression.

    Those that are not used stay as they are in the base mesh.
    """
    rows = np.flatnonzero(head.identity)
    own = np.tensordot(head.identity[rows].astype(np.float32), library.targets[rows], axes=1)
    neutral = library.anatomy.geometry.base.vertices.copy()
    neutral[library.used] += own
    change = np.zeros_like(own, np.float64)
    for name, value in zip(arkit52.NAMES, head.blendshapes, strict=True):
        unit = library.units.get(name)
        if unit is not None and value > 0:
            change += (value * SHUT if name.startswith("eyeBlink") else value) * unit
    moved = neutral.copy()
    moved[library.used] += change
    return neutral, moved


def shares(head: Head, space: IdentitySpace) -> dict[str, float]:
    """Return how african, female, old and young (a child) an identity is, 0 to 1."""
    out = dict.fromkeys(("african", "asian", "female", "old", "child", "baby"), 0.0)
    for name, row in space.index.items():
        if name.startswith("macrodetails/") and "universal" not in name and head.identity[row]:
            for word in name.split("/")[1].split("-"):
                if word in out:
                    out[word] += float(head.identity[row])
    return out
