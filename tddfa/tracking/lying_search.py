"""Look for faces in videos that lie: taken with a camera on its side, or of somebody in bed.

A tracker's detector knows upright faces. Where nobody is followed and a search finds nothing, the
frame is turned and searched once more, by another quarter at every such search: within three of
them a face is there, whichever way it lies, for twice the time. Once faces are followed, their
rolls say how the frame is to be turned, and it is searched that way alone.
"""

from collections.abc import Iterable
from itertools import cycle

from tddfa.params import FloatArray
from tddfa.picture import ImageArray
from tddfa.quarter_turns import CLEAR, found_turned, quarters_of
from tddfa.tracking.face_finder import FaceFinder

# A face lies if its roll is this near, in degrees, to a quarter or two; else it leans.
_LEANING = 30.0


class LyingSearch:
    """Search of frames in which no upright face was found.

    Parameters
    ----------
    finder : FaceFinder
    """

    def __init__(self, finder: FaceFinder) -> None:
        self.finder = finder
        self._order = cycle([1, 3, 2])  # cameras on their side are commoner than upside down

    def __call__(self, image: ImageArray) -> FloatArray:
        """Search a frame turned by the quarter whose turn it is.

        Returns
        -------
        ndarray, shape (n, 5), float32
            Rows ``xmin, ymin, xmax, ymax, score`` by falling score, none unless one is clear.
        """
        quarters = next(self._order)
        boxes = found_turned(self.finder.detect, image, quarters)
        if not len(boxes) or boxes[0, 4] <= CLEAR:
            return boxes[:0]
        # A detector of upright faces knows those upside down, too, but less well.
        others = boxes if quarters == 2 else found_turned(self.finder.detect, image, 4 - quarters)
        return others if len(others) and others[0, 4] > boxes[0, 4] else boxes


def common_quarters(rolls: Iterable[float]) -> int:
    """Return the counterclockwise quarters that bring all faces next to upright.

    Parameters
    ----------
    rolls : iterable of float
        Degrees, see `tddfa.upright.in_plane_roll`.

    Returns
    -------
    int
        0 to 3; 0 where there is no face, where they lie in different ways, and where one merely
        leans.

    Examples
    --------
    >>> [common_quarters(rolls) for rolls in ([80.0, 100.0], [90.0, 0.0], [50.0, 90.0], [])]
    [3, 0, 0, 0]
    """
    ways = {quarters_of(roll) if abs((roll + 45) % 90 - 45) < _LEANING else 0 for roll in rolls}
    return ways.pop() if len(ways) == 1 else 0
