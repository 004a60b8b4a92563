"""Look for faces in videos that lie: taken with a camera on its side, or of somebody in bed.

A tracker's detector knows upright faces. Where nobody is followed and a search finds nothing, the
frame is turned and searched once more, by another quarter at every such search: within three of
them a face is there, whichever way it lies, for no more than twice the time.
"""

from tddfa.params import FloatArray
from tddfa.picture import ImageArray
from tddfa.quarter_turns import CLEAR, found_turned
from tddfa.tracking.face_finder import FaceFinder


class LyingSearch:
    """Search of frames in which no upright face was found.

    Parameters
    ----------
    finder : FaceFinder
    """

    def __init__(self, finder: FaceFinder) -> None:
        self.finder = finder
        self._order = [1, 3, 2]  # cameras on their side are commoner than upside down

    def __call__(self, image: ImageArray) -> FloatArray:
        """Search a frame turned by the quarter whose turn it is.

        Returns
        -------
        ndarray, shape (n, 5), float32
            Rows ``xmin, ymin, xmax, ymax, score`` by falling score, none unless one is clear.
        """
        quarters = self._order[0]
        boxes = found_turned(self.finder.detect, image, quarters)
        if not len(boxes) or boxes[0, 4] <= CLEAR:
            self._order = [*self._order[1:], quarters]  # else it is the one to begin with again
            return boxes[:0]
        # A detector of upright faces knows those upside down, too, but less well.
        if quarters != 2:
            others = found_turned(self.finder.detect, image, 4 - quarters)
            if len(others) and others[0, 4] > boxes[0, 4]:
                self._order = [4 - quarters, 2, quarters]
                return others
        return boxes
