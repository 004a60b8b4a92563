"""Make outputs of faces: a picture, or a file."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tddfa import outputs
from tddfa.errors import InputError
from tddfa.face import Face
from tddfa.frame import Frame
from tddfa.io.atomic import checked_target
from tddfa.outputs import OutputSettings, find_output
from tddfa.picture import ImageArray


def make_output(
    name: str, frame: Frame, path: Path | None = None, settings: OutputSettings | None = None
) -> ImageArray | None:
    """Make one output of a picture that has faces.

    Parameters
    ----------
    name : str
        One of `tddfa.outputs.OUTPUTS`.
    frame : Frame
        With at least one face.
    path : Path, optional
        Where to write it; needed for what is no picture.
    settings : OutputSettings, optional

    Returns
    -------
    ndarray or None
        The picture, BGR; None for meshes.

    Raises
    ------
    InputError
        If there is no such output, or the file cannot be written.
    """
    output, settings = find_output(name), settings or OutputSettings()
    if output.draw is None:
        if path is None or output.write is None:
            raise ValueError(f"{name}: is no picture, and needs a path")
        output.write(frame, settings, path)
        return None
    picture = output.draw(frame, settings)
    if path is not None:
        from tddfa.io.pictures import imwrite

        imwrite(path, picture)
    return picture


def make_outputs(
    frame: Frame,
    targets: Mapping[str, Path],
    settings: OutputSettings,
    made: Callable[[str, Path], object],
) -> None:
    """Make several outputs in threads: one is drawn while another is encoded, which takes longer.

    Parameters
    ----------
    frame : Frame
        With at least one face.
    targets : mapping of str to Path
        Where each output is written, by its name.
    settings : OutputSettings
        With the number of threads for all of them together.
    made : callable
        Is told name and file of each that was made, in order, also if another one failed.

    Raises
    ------
    InputError
        As `make_output`.
    """
    from Sim3DR.threads import share

    for target in targets.values():
        checked_target(target)  # all are written into it at once: its folder is made before
    if any(outputs.OUTPUTS[name].dense for name in targets):
        _ = frame.vertices  # once for all of them
    single, done = replace(settings, n_threads=1), set()

    def make(name: str, target: Path) -> None:
        make_output(name, frame, target, single)  # the picture is not kept
        done.add(name)

    try:
        share(make, targets.items(), settings.n_threads)
    finally:
        for name, target in targets.items():
            if name in done:
                made(name, target)


def draw_faces(
    image: ImageArray, faces: Iterable[Face], output: str = "3d", **settings: Any
) -> ImageArray:
    """Return a picture with faces drawn on it, a copy of the given one if there are none.

    Parameters
    ----------
    image : ndarray, shape (H, W, 3), uint8
        BGR picture; it is not changed.
    faces : iterable of Face
    output : str
        Name of a picture in `tddfa.outputs.OUTPUTS`.
    **settings
        Fields of `OutputSettings`.

    Raises
    ------
    InputError
        If there is no such output, or it is no picture.
    """
    draw = find_output(output).draw
    if draw is None:
        pictures = ", ".join(name for name, value in outputs.OUTPUTS.items() if value.draw)
        raise InputError(f"output: expected a picture ({pictures}), got '{output}'")
    frame = Frame.still(image, list(faces))
    return draw(frame, OutputSettings(**settings)) if frame.faces else image.copy()


def save_faces(path: str | Path, image: ImageArray, faces: Iterable[Face], **settings: Any) -> None:
    """Write the meshes of faces into one file; its format follows from the extension.

    Parameters
    ----------
    path : str or Path
        ``.obj`` or ``.ply``.
    image : ndarray, shape (H, W, 3), uint8
        BGR picture, for colors.
    faces : iterable of Face
        At least one.
    **settings
        Fields of `OutputSettings`.

    Raises
    ------
    InputError
        If the extension is another one, there is no face, or the file cannot be written.
    """
    known = {o.suffix: o.write for o in outputs.OUTPUTS.values() if o.write is not None}
    write = known.get(Path(path).suffix.lower())
    if write is None:
        raise InputError(f"'{path}': expected a name ending in {', '.join(known)}")
    frame = Frame.still(image, list(faces))
    if not frame.faces:
        raise InputError(f"'{path}': there is no face to write")
    write(frame, OutputSettings(**settings), Path(path))
