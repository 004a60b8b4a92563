"""Ten expression components out of MakeHuman's 52 ARKit-style face units.

Plain PCA ties both eyes together and loses the brows, so four components are fixed by hand (jaw,
each eye, brows); the other six are principal components of what those leave, turned within their
span towards named movements. Units are displacements from neutral: a coefficient of 0 is neutral.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.face_model.makehuman import load_target

JAW_FULL = 0.6  # share of MakeHuman's jawOpen that opens the mouth by some 25 mm
PAIRED = (
    # name, probability, share of one-sided draws
    ("mouthSmile", 0.45, 0.15), ("mouthFrown", 0.20, 0.1), ("mouthStretch", 0.15, 0.1),
    ("mouthDimple", 0.15, 0.15), ("mouthPress", 0.15, 0.1), ("mouthUpperUp", 0.25, 0.1),
    ("mouthLowerDown", 0.25, 0.1), ("cheekSquint", 0.25, 0.1), ("noseSneer", 0.30, 0.1),
    ("eyeBlink", 0.40, 0.3), ("eyeSquint", 0.20, 0.1), ("eyeWide", 0.15, 0.05),
    ("eyeLookDown", 0.15, 0.0), ("browDown", 0.25, 0.1), ("browOuterUp", 0.25, 0.15),
)  # fmt: skip
SINGLE = (
    ("mouthPucker", 0.30), ("mouthFunnel", 0.20), ("mouthRollLower", 0.25),
    ("mouthRollUpper", 0.15), ("mouthShrugLower", 0.12), ("mouthShrugUpper", 0.12),
    ("cheekPuff", 0.20), ("browInnerUp", 0.25),
)  # fmt: skip
# Movements towards which the free components are turned: name -> mix of units.
DIRECTIONS: dict[str, dict[str, float]] = {
    "smile": {"mouthSmileLeft": 1, "mouthSmileRight": 1},
    "pucker": {"mouthPucker": 1, "mouthFunnel": 0.5},
    "upper_lip_raise": {
        "mouthUpperUpLeft": 1, "mouthUpperUpRight": 1, "noseSneerLeft": 1, "noseSneerRight": 1,
    },
    "lower_lip_down": {"mouthLowerDownLeft": 1, "mouthLowerDownRight": 1, "mouthRollLower": -1},
    "cheek_puff": {"cheekPuff": 1},
    "mouth_sideways": {"mouthLeft": 1, "mouthRight": -1, "jawLeft": 1, "jawRight": -1},
}  # fmt: skip
FIXED: dict[str, dict[str, float]] = {
    "jaw_open": {"jawOpen": JAW_FULL},
    "blink_left": {"eyeBlinkLeft": 1},
    "blink_right": {"eyeBlinkRight": 1},
    "brows_up": {
        "browInnerUp": 1, "browOuterUpLeft": 1, "browOuterUpRight": 1,
        "browDownLeft": -1, "browDownRight": -1,
    },
}  # fmt: skip
# Movements that plain PCA loses count more when the free components are sought.
EMPHASIS = {"noseSneer": 2.0, "mouthRollLower": 2.4, "mouthLowerDown": 1.5}
FIXED_RANGES = ((0.0, 1.2), (-0.35, 1.0), (-0.35, 1.0), (-0.6, 1.0))


def load_units(data: Path) -> dict[str, np.ndarray]:
    """Return unit name -> (19158, 3) displacement in dm; units that move no skin are left out."""
    folder = data / "faceunits01/targets/faceunits"
    return {
        f.stem: load_target(f)
        for f in sorted(folder.glob("*.target"))
        if f.stem != "tongueOut" and not f.stem.startswith(("eyeLookIn", "eyeLookOut"))
    }


def _swap(name: str) -> str:
    if name.endswith("Left"):
        return name[:-4] + "Right"
    return name[:-5] + "Left" if name.endswith("Right") else name


def sample_activations(names: list[str], n: int, seed: int) -> np.ndarray:
    """Return (2n, len(names)) sparse activations in 0..1, closed under left-right exchange."""
    rng = np.random.default_rng(seed)
    at = {k: i for i, k in enumerate(names)}
    out = np.zeros((n, len(names)))
    for c in out:
        jaw = rng.random() ** 1.3 if rng.random() < 0.5 else 0.0
        c[at["jawOpen"]] = JAW_FULL * 1.2 * jaw
        if rng.random() < 0.15:
            c[at["mouthClose"]] = c[at["jawOpen"]] * rng.random()
        for pair, probability in (("jaw", 0.15), ("mouth", 0.15)):
            if rng.random() < probability:
                c[at[pair + ("Left", "Right")[rng.integers(2)]]] = rng.random()
        if rng.random() < 0.1:
            c[at["jawForward"]] = rng.random()
        for name, probability, alone in PAIRED:
            if rng.random() < probability:
                a = rng.random()
                both = np.clip(a + rng.normal(0, 0.1, 2), 0, 1)
                if rng.random() < alone:
                    both[rng.integers(2)] = 0.0
                c[at[name + "Left"]], c[at[name + "Right"]] = both
        for name, probability in SINGLE:
            if rng.random() < probability:
                c[at[name]] = rng.random()
        for side in ("Left", "Right"):
            lid = [at[k + side] for k in ("eyeBlink", "eyeSquint", "eyeLookDown")]
            total = float(c[lid] @ [1.0, 0.4, 0.5])
            c[lid] /= max(total, 1.0)
    return np.concatenate([out, out[:, [at[_swap(k)] for k in names]]])


@dataclass(frozen=True)
class ExpressionModel:
    """Ten components over the fine mesh.

    Attributes
    ----------
    components : (3n, 10)
        Displacement of coefficient 1, in the unit of the input.
    names : tuple of str
    ranges : (10, 2)
        Useful range of each coefficient.
    captured : dict
        Share of each unit's squared displacement (left and right together) that the ten hold.
    """

    components: np.ndarray
    names: tuple[str, ...]
    ranges: np.ndarray
    captured: dict[str, float]


def expression_model(
    units: dict[str, np.ndarray],
    blinks: tuple[np.ndarray, np.ndarray],
    weight: np.ndarray,
    mirror: np.ndarray,
    seed: int = 0,
    n_samples: int = 6000,
) -> ExpressionModel:
    """Build the components.

    Parameters
    ----------
    units : dict of (n, 3) arrays
        Fine displacements by unit name.
    blinks : (left, right) of (n, 3) arrays
        Lid movements that close the mean face's eyes exactly.
    weight : (n,) array
        Importance of each vertex.
    mirror : (n,) array
        Mirror partners.
    """
    names = sorted(units)
    replaced = dict(units, eyeBlinkLeft=blinks[0], eyeBlinkRight=blinks[1])
    u = np.stack([replaced[k].ravel() for k in names])
    gram = (u * np.repeat(weight / weight.sum(), 3)) @ u.T
    act = sample_activations(names, n_samples, seed)

    # From here on everything is a row of coefficients over the units, under the metric `gram`.
    def mix(terms: dict[str, float]) -> np.ndarray:
        row = np.zeros(len(names))
        for name, a in terms.items():
            row[names.index(name)] = a
        return row

    def project(basis: np.ndarray, target: np.ndarray) -> np.ndarray:
        return np.linalg.solve(basis @ gram @ basis.T, basis @ gram @ target.T).T

    fixed = np.stack([mix(terms) for terms in FIXED.values()])
    rest = np.eye(len(names)) - project(fixed, np.eye(len(names))) @ fixed
    stress = np.array(
        [EMPHASIS.get(k.removesuffix("Left").removesuffix("Right"), 1) for k in names]
    )
    stressed = act * stress
    root = np.linalg.cholesky(stressed.T @ stressed / len(act) + 1e-9 * np.eye(len(names))).T @ rest
    _, vector = np.linalg.eigh(root @ gram @ root.T)
    principal = vector[:, ::-1][:, : len(DIRECTIONS)].T @ root
    principal /= np.sqrt(np.einsum("ij,jk,ik->i", principal, gram, principal))[:, None]

    # Turn within the span towards the named movements (orthogonal Procrustes).
    wanted = np.stack([mix(terms) for terms in DIRECTIONS.values()])
    share = wanted @ gram @ principal.T
    left, _, right = np.linalg.svd(share / np.linalg.norm(share, axis=1, keepdims=True))
    rows = np.concatenate([fixed, left @ right @ principal])

    coefficients = project(rows, act)
    scale = np.sqrt((coefficients**2).mean(0))
    scale[: len(FIXED)] = 1.0
    rows *= scale[:, None]
    coefficients /= scale
    ranges = np.round(np.quantile(coefficients, [0.02, 0.98], axis=0).T, 1)
    ranges[:4] = FIXED_RANGES
    ranges[9] = np.abs(ranges[9]).max() * np.array([-1, 1])

    def held(target: np.ndarray) -> float:
        r = target - project(rows, target) @ rows
        return 1 - float(np.trace(r @ gram @ r.T) / np.trace(target @ gram @ target.T))

    captured = {}
    for name in sorted({k.removesuffix("Left").removesuffix("Right") for k in names}):
        if name in ("jaw", "mouth"):
            terms = {name + "Left": 1.0}
        elif name in replaced:
            terms = {name: 1.0}
        else:
            terms = {name + "Left": 1.0, name + "Right": 1.0}
        captured[name] = held(mix(terms)[None])
    captured["eyeBlinkLeft alone"] = held(mix({"eyeBlinkLeft": 1.0})[None])
    captured["all activations"] = held(act)

    components = rows @ u
    components[0] = mirrored(components[0], mirror)
    components[3:] = mirrored(components[3:], mirror)
    names_out = (*FIXED, *DIRECTIONS)
    return ExpressionModel(components.T, names_out, ranges.astype(np.float32), captured)


def mirrored(rows: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """Make each row equal to its mirror image or to the negative of it."""
    x = rows.reshape(-1, len(mirror), 3)
    flipped = x[:, mirror] * [-1, 1, 1]
    sign = np.where((x * flipped).sum((1, 2)) >= 0, 1.0, -1.0)
    return ((x + sign[:, None, None] * flipped) / 2).reshape(rows.shape)
