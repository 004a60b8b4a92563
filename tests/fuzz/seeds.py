"""All sound files that are damaged, by kind."""

from pathlib import Path

from tddfa.io.pictures import imread
from tests.fuzz.seeds_models import (
    checkpoint_seeds,
    configuration_seeds,
    face_model_seeds,
    network_seeds,
    pickle_seeds,
    table_seeds,
)
from tests.fuzz.seeds_pictures import picture_seeds
from tests.fuzz.seeds_videos import video_seeds

ROOT = Path(__file__).resolve().parent.parent.parent
Files = dict[str, bytes]
KINDS = (
    *("picture", "video", "configuration", "checkpoint", "face_model", "pickle", "network"),
    "table",
)


def make_seeds(kind: str, folder: Path) -> Files:
    """Return name and content of the sound files of a kind; `folder` may be used to make them."""
    if kind in ("picture", "video"):
        portrait = imread(ROOT / "examples" / "inputs" / "astronaut.png")[20:300, 90:370]
        return picture_seeds(portrait) if kind == "picture" else video_seeds(portrait, folder)
    if kind == "configuration":
        return configuration_seeds(ROOT)
    if kind == "network":
        return network_seeds(ROOT)
    makers = {
        "checkpoint": checkpoint_seeds,
        "face_model": face_model_seeds,
        "pickle": pickle_seeds,
        "table": table_seeds,
    }
    return makers[kind]()
