"""Which skin, hair, brows, eyes, light and background a head gets; by its seed."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from training.renders.heads import Head, shares
from training.renders.library import Library, Skin
from training.renders.light import Panorama
from training.renders.meshes import Attachment

T = TypeVar("T")

Array = npt.NDArray[np.float64]

BALD = 0.1
LONG = ("bob01", "bob02", "braid01", "long01", "ponytail01")
# Hair as a factor of the textures' brown, BGR: black, brown, fair, red, grey.
HAIR_COLORS = np.array(
    [[0.22, 0.2, 0.2], [0.6, 0.65, 0.7], [1.5, 2.0, 2.3], [0.6, 0.9, 1.7], [2.2, 2.1, 2.0]]
)
# Chance of each, by shares of identity: not old, old.
HAIR_CHANCES = np.array([[0.38, 0.3, 0.2, 0.08, 0.04], [0.15, 0.2, 0.1, 0.03, 0.52]])


@dataclass(frozen=True)
class Wardrobe:
    """What a head is drawn with.

    Attributes
    ----------
    skin : Skin
    skin_tint, hair_tint, cloth : ndarray, shape (3,)
        Factors of the textures and the color of the clothes, linear BGR.
    collar : float
        Height of the clothes' edge in dm, of the base mesh.
    hair : Attachment, or None
    brow, lash : Attachment
    eye : Path
    iris_tint : ndarray, shape (3,)
    probe : Panorama
    turn : ndarray, shape (3, 3)
        From the camera's axes to the panorama's.
    exposure : float
    background : Path, or None
        A picture; else the panorama itself.
    glasses : float
        0 none, else the opacity of their glass.
    """

    skin: Skin
    skin_tint: Array
    hair_tint: Array
    cloth: Array
    collar: float
    hair: Attachment | None
    brow: Attachment
    lash: Attachment
    eye: Path
    iris_tint: Array
    probe: Panorama
    turn: Array
    exposure: float
    background: Path | None
    glasses: float


def dress(head: Head, library: Library) -> Wardrobe:
    """Draw what a head wears and stands in."""
    generator = np.random.default_rng((*head.seed, 2))

    def one(items: list[T]) -> T:
        return items[generator.integers(len(items))]

    who = shares(head, library.space)
    dark = who["african"] > generator.uniform(0.3, 0.7)
    female = who["female"] > 0.5
    age = 2 if who["old"] > 0.5 else 1 if who["old"] > 0.15 else 0
    ranked = sorted(
        library.skins,
        key=lambda s: (s.dark != dark) * 4 + (s.female != female) * 3 + abs(s.age - age),
    )
    skin = ranked[int(generator.integers(2)) if generator.random() < 0.4 else 0]
    tint = generator.uniform(0.75, 1.2) * np.exp(generator.normal(0, [0.06, 0.03, 0.05]))
    color = HAIR_COLORS[
        generator.choice(len(HAIR_COLORS), p=HAIR_CHANCES[int(who["old"] > generator.random())])
    ]
    if who["african"] + who["asian"] > 0.7 and generator.random() < 0.8:
        color = HAIR_COLORS[0]
    suited = [h for h in library.hairs if female or h.name not in LONG] or library.hairs
    hair = None if generator.random() < (0.03 if female else 0.15) else one(suited)
    brown = [path for path in library.eyes if "brown" in path.stem]
    if brown and generator.random() < 0.35 + 0.6 * (who["african"] + who["asian"]):
        eye, iris = one(brown), generator.uniform(0.25, 1.0) * np.array([0.6, 0.8, 1.0])
    else:
        eye, iris = one(library.eyes), generator.uniform(0.5, 1.0) * np.ones(3)
    spin = generator.uniform(0, 360)
    # A rolled head is a rolled camera, or somebody who lies: then light comes from above still.
    roll = head.roll if generator.random() < 0.5 else 0.0
    turn = Rotation.from_euler("YZ", [spin, -roll], degrees=True).as_matrix()
    pictures = library.backgrounds
    behind = one(pictures) if pictures and generator.random() < 0.6 else None
    return Wardrobe(
        skin=skin,
        skin_tint=tint,
        hair_tint=color * generator.uniform(0.7, 1.3),
        cloth=generator.uniform(0.02, 0.8) * np.exp(generator.normal(0, 0.35, 3)),
        collar=float(generator.normal(5.8, 0.12)),
        hair=hair,
        brow=one(library.brows),
        lash=one(library.lashes),
        eye=eye,
        iris_tint=iris,
        probe=one(library.probes),
        turn=turn,
        exposure=float(np.exp(generator.normal(-0.75, 0.25))),
        background=behind,
        glasses=0.0
        if generator.random() > 0.2
        else float(generator.choice([0.06, 0.1, 0.8], p=[0.4, 0.3, 0.3])),
    )
