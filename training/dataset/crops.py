"""Cut faces out of photos: squares 1.4 times a detector's ROI, 168 px."""

import csv
import logging
from collections.abc import Callable
from pathlib import Path

import cv2

from tddfa.errors import InputError
from tddfa.io.atomic import replacing
from tddfa.roi import crop_img, parse_roi_box_from_bbox
from training.dataset.batch import CANVAS, INPUT
from training.evaluation.benchmark_sets import Detector, read_picture
from training.mediapipe_points import list_pictures

logger = logging.getLogger(__name__)

# A face whose ROI is smaller than this shows too little to be labeled.
LEAST_ROI = 48


# Where each crop lies in its photo: what places annotated points in it.
SQUARES = "squares.csv"


def cut_faces(
    photos: Path,
    out: Path,
    detector: Detector,
    chosen: Callable[[str], bool] = lambda name: True,
) -> int:
    """Cut out the faces of all photos of a folder, and of its subfolders.

    A photo's faces are ``<name>_<number>.webp``, in the same subfolder; a photo that has been
    looked at is not looked at again. ``squares.csv`` in `out` keeps crop, photo, and left, top,
    width and height of the square in the photo's pixels.

    Parameters
    ----------
    photos, out : Path
    detector : callable
    chosen : callable, optional
        Whether to use the photo of a name, relative to `photos`.

    Returns
    -------
    int
        Number of faces in `out` after the call.
    """
    from tqdm import tqdm

    out.mkdir(parents=True, exist_ok=True)
    record = out / "seen.txt"
    seen = set(record.read_text(encoding="utf-8").splitlines()) if record.exists() else set()
    names = [name for name in list_pictures(photos) if chosen(name) and name not in seen]
    with (
        record.open("a", encoding="utf-8") as log,
        (out / SQUARES).open("a", encoding="utf-8", newline="") as places,
    ):
        table = csv.writer(places)
        for name in tqdm(names, desc="faces", mininterval=5):
            photo = read_picture(photos / name)
            for number, box in enumerate(detector(photo)):
                roi = parse_roi_box_from_bbox(box)
                if roi[2] - roi[0] < LEAST_ROI:
                    continue
                margin = (CANVAS / INPUT - 1) / 2 * (roi[2] - roi[0])
                square = [roi[0] - margin, roi[1] - margin, roi[2] + margin, roi[3] + margin]
                crop = crop_img(photo, square)
                # The crop's edges are whole pixels.
                left, top = (round(float(edge)) for edge in square[:2])
                shrinks = crop.shape[0] > CANVAS
                how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
                target = (out / name).with_name(f"{Path(name).stem}_{number}.webp")
                with replacing(target) as temporary:
                    # Beyond 100 the format is lossless.
                    small = cv2.resize(crop, (CANVAS, CANVAS), interpolation=how)
                    cv2.imwrite(str(temporary), small, [cv2.IMWRITE_WEBP_QUALITY, 101])
                crop_name = target.relative_to(out).as_posix()
                table.writerow([crop_name, name, left, top, *crop.shape[1::-1]])
            places.flush()
            log.write(name + "\n")
            log.flush()
    return len(list_pictures(out))


def photos_of(crops: Path) -> dict[str, str]:
    """Return the photo of each crop that `cut_faces` cut, by the crop's name."""
    try:
        with (crops / SQUARES).open(encoding="utf-8", newline="") as file:
            return {row[0]: row[1] for row in csv.reader(file) if len(row) > 1}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"'{crops / SQUARES}': expected the places of crops") from error
