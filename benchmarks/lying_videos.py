"""Follow videos that lie: taken with the camera on its side, or upside down.

``python -m benchmarks.lying_videos clip.mp4`` plays each clip as it is and turned by one to three
quarters counterclockwise, and prints in how many frames somebody is followed, by how many tracks,
and by how many degrees the faces' rolls, less the turn, are off those of the clip as it is.
``--no_upright`` turns nothing, as the demos' option of that name.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from tddfa.arguments import add_model_arguments, positive_int
from tddfa.cli import run_main
from tddfa.face import Face
from tddfa.face_aligner import FaceAligner
from tddfa.picture import ImageArray
from tddfa.pipelines import build_tracking_pipeline
from tddfa.tracking.settings import TrackerSettings
from tddfa.tracking.tracker import FaceTracker
from tddfa.video.reader import VideoReader

# Off by more, a face is read the wrong way round.
_WRONG = 30.0


def read_turned(path: Path, quarters: int, most: int) -> Iterator[ImageArray]:
    """Yield a clip's frames, turned counterclockwise."""
    with VideoReader(path) as reader:
        for frame, _ in zip(reader, range(most), strict=False):
            yield np.ascontiguousarray(np.rot90(frame.image, quarters))


def followed(
    networks: FaceAligner, path: Path, quarters: int, most: int, upright: bool
) -> list[list[Face]]:
    """Return the confirmed faces of each frame."""
    settings = TrackerSettings(upright=upright)
    tracker = FaceTracker(networks.tracking_detector, networks.aligner, settings, networks.check)
    frames = read_turned(path, quarters, most)
    return [[face for face in tracker(frame) if face.confirmed] for frame in frames]


def main(argv: Sequence[str] | None = None) -> int:
    """Print a row per clip and turn."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.lying_videos",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("videos", type=Path, nargs="+")
    parser.add_argument("--frames", type=positive_int, default=150, help="of each (%(default)s)")
    parser.add_argument("--no_upright", action="store_true", help="turn nothing")
    add_model_arguments(parser)
    parser.set_defaults(onnx=True, threads=1)
    args = parser.parse_args(argv)
    networks = build_tracking_pipeline(args)
    print(
        "| clip | quarters | frames | with a face | tracks | rolls the wrong way |\n"
        + "|---" * 6
        + "|"
    )
    for path in args.videos:
        upright: list[list[Face]] = []
        for quarters in range(4):
            faces = followed(networks, path, quarters, args.frames, not args.no_upright)
            upright = upright or faces
            tracks = {face.track_id for found in faces for face in found}
            wrong = sum(
                abs((now[0].pose.roll - then[0].pose.roll - 90 * quarters + 180) % 360 - 180)
                > _WRONG
                for now, then in zip(faces, upright, strict=True)
                if now and then
            )
            print(
                f"| {path.stem} | {quarters} | {len(faces)} | {sum(map(bool, faces))} | "
                f"{len(tracks)} | {wrong} |",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
