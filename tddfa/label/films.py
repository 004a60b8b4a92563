"""Videos: every n-th frame, with the tracks of all frames."""

from collections.abc import Iterator

from tddfa.errors import InputError
from tddfa.face_aligner import FaceAligner
from tddfa.label.measures import face_columns, sharpness
from tddfa.label.pictures import CropWriter
from tddfa.label.places import is_uri
from tddfa.label.schema import Row
from tddfa.roi import network_input


def film_rows(
    path: str,
    aligner: FaceAligner,
    every: int = 1,
    visibility: bool = True,
    write_crops: CropWriter | None = None,
) -> Iterator[list[Row]]:
    """Yield the rows of every n-th frame; faces are followed through all of them.

    What ends a video early is its last row, with the reason.
    """
    known: Row = {"path": path}
    try:
        if is_uri(path):
            raise InputError(f"{path}: expected a video on this machine")
        for frame in aligner.track(path):
            if write_crops is not None:
                write_crops.watch(frame)
            if frame.index % every:
                continue
            height, width = frame.image.shape[:2]
            head = known | {"frame": frame.index, "time": frame.time}
            head |= {"width": width, "height": height, "faces": len(frame.faces)}
            if not frame.faces:
                yield [head]
                continue
            more = write_crops(head, frame.image, frame.faces) if write_crops else None
            rois = [face.roi_box for face in frame.faces]
            sharp = sharpness(network_input(frame.image, rois, aligner.aligner.size))
            yield [
                head
                | {"face": i, "sharpness": sharp[i]}
                | face_columns(face, visibility)
                | (more[i] if more else {})
                for i, face in enumerate(frame.faces)
            ]
        if write_crops is not None:
            write_crops.finish(path)
    except InputError as error:
        yield [known | {"error": str(error)}]
