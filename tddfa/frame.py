"""A picture with its faces: a photograph, or a frame of a video on its way to the writer."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tddfa.face import Face, dense_vertices
from tddfa.morphable_model import MorphableModel
from tddfa.params import FloatArray
from tddfa.picture import ImageArray, StoredPicture
from tddfa.topology import Topology


@dataclass(frozen=True, eq=False)
class Frame:
    """A picture, when it is shown, and the faces in it.

    Attributes
    ----------
    index : int
        Number of the frame in its file, or since its camera was opened, from 0.
    time : float
        Seconds since the file's start, or on `time.monotonic`'s clock for a camera.
    image : ndarray, shape (H, W, 3), uint8
        BGR picture, upright, on square pixels, C-contiguous where a reader made it.
    faces : list of Face
        In video by track id, else by falling score.
    cut : bool
        Whether a new shot begins here.
    pts : int
        The same time in the reader's unit, for writing it unchanged.
    stored : StoredPicture, optional
        The picture as its file stores it, where its pixels are not square.
    """

    index: int
    time: float
    image: ImageArray
    faces: list[Face] = field(default_factory=list)
    cut: bool = False
    pts: int = 0
    stored: StoredPicture | None = None

    @classmethod
    def still(cls, image: ImageArray, faces: Sequence[Face]) -> "Frame":
        """Return a photograph with its faces."""
        return cls(0, 0.0, image, list(faces))

    @property
    def landmarks(self) -> list[FloatArray]:
        """Landmarks (3, 68) of each face, in pixels."""
        return [face.landmarks for face in self.faces]

    @property
    def vertices(self) -> list[FloatArray]:
        """All vertices (3, N) of each face, in pixels; made in one pass, when first asked for."""
        return dense_vertices(self.faces)

    @property
    def model(self) -> MorphableModel:
        """The faces' model; there must be a face."""
        return self.faces[0].model

    @property
    def tri(self) -> Topology:
        """Triangles of the faces' model, with what is attached to them; there must be a face."""
        return self.faces[0].triangles
