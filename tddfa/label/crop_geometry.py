r"""Where the usual data sets cut faces out.

::

    FFHQ (Karras et al. 2019)           EG3D (Chan et al. 2022)
    turned upright by eyes and mouth    upright as the picture; the head's pose
       .---------.                      is the camera's
        \  o  o   \                       .---------.
         \   >     \                      |  o  o   |
          \  --     \                     |   >     |
           `---------`                    |   --    |
                                          `---------`
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from tddfa.face import Face
from tddfa.morphable_model import MorphableModel
from tddfa.picture import ImageArray

DoubleArray = npt.NDArray[np.float64]
# EG3D: the camera's distance, and its focal length in parts of the picture's side.
EG3D_RADIUS, EG3D_FOCAL = 2.7, 4.2647
# EG3D's origin lies inside the head, 2.2 mm below and 60 mm behind the middle of the Basel face,
# and a unit is 370 mm of it. In distances between the outer corners of the eyes, from the middle
# of the eyes, measured on Basel's mean face (86.3 mm):
_EG3D_ORIGIN = np.array([0.0, -0.379, -0.910])
_EG3D_UNIT = 370.4 / 86.3


@dataclass(frozen=True)
class Quad:
    """A square of a picture, perhaps turned.

    Attributes
    ----------
    corners : ndarray, shape (4, 2), float64
        Upper left, lower left, lower right, upper right, in pixels between whose centers whole
        numbers lie (the picture's corner is 0, 0).
    """

    corners: DoubleArray

    @property
    def side(self) -> float:
        """Length of a side in pixels."""
        return float(np.linalg.norm(self.corners[3] - self.corners[0]))


def ffhq_quad(landmarks: npt.ArrayLike) -> Quad:
    """Return FFHQ's square.

    Its middle lies on the line from the eyes to the mouth, a tenth of the way down; its half side
    is twice the distance of the eyes or 1.8 times that from eyes to mouth, whichever is larger.
    Source: Karras, Laine, Aila, "A Style-Based Generator Architecture for GANs", appendix C.

    Parameters
    ----------
    landmarks : array_like, shape (2 | 3, 68)
        In pixels.

    Examples
    --------
    Eyes 2 apart at height 0, a mouth 2 below:

    >>> points = np.zeros((2, 68))
    >>> points[0, 36:42], points[0, 42:48], points[1, [48, 54]] = -1, 1, 2
    >>> ffhq_quad(points).corners.tolist()
    [[-4.0, -3.8], [-4.0, 4.2], [4.0, 4.2], [4.0, -3.8]]
    """
    points = np.asarray(landmarks, float)[:2].T
    left, right = points[36:42].mean(axis=0), points[42:48].mean(axis=0)
    eyes, mouth = (left + right) / 2, (points[48] + points[54]) / 2
    along, down = right - left, mouth - eyes
    x = along - np.array([-down[1], down[0]])
    x /= max(math.hypot(*x), 1e-12)
    x *= max(math.hypot(*along) * 2.0, math.hypot(*down) * 1.8)
    y = np.array([-x[1], x[0]])
    middle = eyes + down * 0.1
    return Quad(np.stack([middle - x - y, middle - x + y, middle + x + y, middle + x - y]))


@dataclass(frozen=True)
class Eg3dCrop:
    """A square and the camera that saw it.

    Attributes
    ----------
    quad : Quad
        Upright as the picture.
    camera : ndarray, shape (25,), float64
        EG3D's label: camera to world, (4, 4) by rows, then intrinsics, (3, 3) by rows, for a
        picture of side 1. World: x to the subject's left, y up, z out of the face; camera: x
        right, y down, z forward.
    """

    quad: Quad
    camera: DoubleArray


def eg3d_crop(face: Face, size: int = 120) -> Eg3dCrop:
    """Return EG3D's square and camera label.

    The camera stands 2.7 units from a point within the head, at which it looks. Source: Chan et
    al., "Efficient Geometry-aware 3D GANs", section 5 and appendix; the origin and the unit are
    those of its data (Deep3DFaceRecon's mean face), carried over by the corners of the eyes.

    Parameters
    ----------
    face : Face
        With its face model.
    size : int
        Side of the network's input in pixels.
    """
    pose, roi = face.pose, face.roi_box
    origin, unit = _eg3d_frame(face.model)
    pixel = np.array([roi[2] - roi[0], roi[3] - roi[1]]) / size
    x, y, _ = pose.scale * (pose.rotation.astype(float) @ origin) + pose.translation
    # Pixel centers of the picture at whole numbers; corners half a pixel further.
    middle = np.array([(x - 1) * pixel[0] + roi[0], (size - y) * pixel[1] + roi[1]]) + 0.5
    half = EG3D_RADIUS / EG3D_FOCAL / 2 * unit * pose.scale * float(pixel.mean())
    corners = middle + half * np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]])
    to_world = np.eye(4)
    to_world[:3, :3] = pose.rotation.T @ np.diag([1.0, -1.0, -1.0])
    to_world[:3, 3] = EG3D_RADIUS * pose.rotation[2]
    intrinsics = np.array([[EG3D_FOCAL, 0, 0.5], [0, EG3D_FOCAL, 0.5], [0, 0, 1]])
    return Eg3dCrop(Quad(corners), np.concatenate([to_world.ravel(), intrinsics.ravel()]))


def _eg3d_frame(model: MorphableModel) -> tuple[DoubleArray, float]:
    """Return EG3D's origin and unit in a face model's frame."""
    points = model.u.reshape(-1, 3)[model.landmark_vertices].astype(float)
    eyes = float(np.linalg.norm(points[36] - points[45]))
    return points[36:48].mean(axis=0) + eyes * _EG3D_ORIGIN, eyes * _EG3D_UNIT


def cut_out(image: ImageArray, quad: Quad, size: int, beyond: int | None = None) -> ImageArray:
    """Return a square of a picture at a size.

    Parameters
    ----------
    image : ndarray, shape (H, W, 3), uint8
    quad : Quad
        What to cut out.
    size : int
        Side of the result in pixels.
    beyond : int, optional
        Gray level of what lies beyond the picture, which is continued mirrored if it is left out.
    """
    corners = quad.corners.copy()
    # Interpolation sees four pixels: what is to become much smaller is made smaller first.
    shrink = int(quad.side / size * 0.5)
    if shrink > 1:
        height, width = image.shape[:2]
        small = (max(1, round(width / shrink)), max(1, round(height / shrink)))
        corners *= np.array(small) / (width, height)
        image = np.asarray(cv2.resize(image, small, interpolation=cv2.INTER_AREA), np.uint8)
    side = 2 * size
    to = np.array([[0, 0], [0, side], [side, side]], np.float32) - 0.5
    matrix = cv2.getAffineTransform((corners[:3] - 0.5).astype(np.float32), to)
    border = cv2.BORDER_REFLECT_101 if min(image.shape[:2]) > 1 else cv2.BORDER_REPLICATE
    if beyond is not None:
        border = cv2.BORDER_CONSTANT
    large = cv2.warpAffine(
        image,
        matrix,
        (side, side),
        flags=cv2.INTER_CUBIC,
        borderMode=border,
        borderValue=(beyond or 0,) * 3,
    )
    return np.asarray(cv2.resize(large, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
