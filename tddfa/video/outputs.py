"""One picture per frame of a video, with its faces drawn."""

import numpy as np

from tddfa.drawing.labels import draw_labels
from tddfa.frame import Frame
from tddfa.outputs import OutputSettings, find_output
from tddfa.picture import ImageArray


class FrameDrawer:
    """Draw the faces of frames.

    Parameters
    ----------
    option : str
        Name of an output with ``video`` in `tddfa.outputs.OUTPUTS`.
    settings : OutputSettings, optional
    labels : bool
        Write each face's id and score beside it.

    Attributes
    ----------
    dense : bool
        Whether it will ask the faces for all their vertices.
    """

    def __init__(
        self, option: str, settings: OutputSettings | None = None, *, labels: bool = False
    ) -> None:
        output = find_output(option)
        if output.draw is None or not output.video:
            raise ValueError(f"option: expected one for video, got {option!r}")
        self.dense = output.dense
        self.labels = labels
        self._draw, self._settings = output.draw, settings or OutputSettings()

    def __call__(self, frame: Frame) -> ImageArray:
        """Return the frame's picture with its faces drawn; the frame's own if it has none."""
        if not frame.faces:
            return frame.image if self._settings.background else np.zeros_like(frame.image)
        picture = self._draw(frame, self._settings)
        if self.labels:
            draw_labels(picture, frame.faces)
        return picture
