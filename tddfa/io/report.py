"""What was found in each picture, as lines to read and as JSON."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tddfa import arkit52
from tddfa.face import Face
from tddfa.io.atomic import atomic_write

FORMAT_VERSION = 1


def face_line(number: int, face: Face) -> str:
    """Return one line with score and pose in degrees."""
    pose = face.pose
    return (
        f"  face {number}: score {face.score:.3f}, "
        f"yaw: {pose.yaw:.1f}, pitch: {pose.pitch:.1f}, roll: {pose.roll:.1f}"
    )


def face_record(face: Face) -> dict[str, Any]:
    """Return a face as plain numbers.

    Pixels are those of the picture, y down; angles are degrees; ``param`` is what
    ``recon_vers`` takes together with ``roi_box``; ``blendshapes`` are there if the face has them,
    by ARKit's names.
    """
    record = {
        "box": [float(value) for value in face.box],
        "score": face.score,
        "yaw": face.pose.yaw,
        "pitch": face.pose.pitch,
        "roll": face.pose.roll,
        "scale": face.pose.scale,
        "roi_box": [float(value) for value in face.roi_box],
        "landmarks": face.landmarks.T.astype(float).round(3).tolist(),
        "param": face.param.astype(float).tolist(),
    }
    if face.blendshapes is not None:
        values = face.blendshapes.astype(float).round(4).tolist()
        record["blendshapes"] = dict(zip(arkit52.NAMES, values, strict=True))
    return record


def picture_record(
    path: Path, shape: tuple[int, ...] | None, faces: Sequence[Face], outputs: Sequence[Path]
) -> dict[str, Any]:
    """Return one picture's entry of the JSON report."""
    record: dict[str, Any] = {"path": str(path)}
    if shape is not None:
        record |= {"height": shape[0], "width": shape[1]}
    return record | {
        "faces": [face_record(face) for face in faces],
        "outputs": [str(output) for output in outputs],
    }


def write_json(path: str | Path, records: Sequence[dict[str, Any]]) -> None:
    """Write the report, whole or not at all."""
    text = json.dumps({"format_version": FORMAT_VERSION, "pictures": list(records)}, indent=1)
    with atomic_write(path) as file:
        file.write(text.encode())
