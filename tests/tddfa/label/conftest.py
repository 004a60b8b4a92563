import io
import tarfile

import cv2
import numpy as np
import pytest


@pytest.fixture(scope="session")
def portrait(project_root):
    image = cv2.imread(str(project_root / "examples" / "inputs" / "astronaut.png"))
    return cv2.resize(image, (256, 256), interpolation=cv2.INTER_AREA)


@pytest.fixture
def inputs(tmp_path, portrait, make_video):
    """A folder with pictures with and without a face, a damaged one, an archive and a video."""
    pytest.importorskip("pyarrow")
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(6):
        cv2.imwrite(str(folder / f"{number}.png"), np.roll(portrait, 8 * number, axis=1))
    cv2.imwrite(str(folder / "empty.png"), np.full((64, 64, 3), 90, np.uint8))
    (folder / "damaged.jpg").write_bytes(b"\xff\xd8\xff\xe0 no more")
    with tarfile.open(folder / "shard.tar", "w") as archive:
        for name, data in (
            ("a/0.png", (folder / "0.png").read_bytes()),
            ("a/0.json", b"{}"),
            ("a/bad.png", b"no picture"),
        ):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    make_video(folder / "clip.mp4", [portrait] * 7)
    return folder
