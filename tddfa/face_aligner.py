"""`FaceAligner`: pictures and videos in, faces out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt

from tddfa.aligner import Aligner
from tddfa.assets import DEFAULT_CONFIG
from tddfa.build_aligner import build_aligner
from tddfa.config import Config, load_config
from tddfa.detector import Detector, as_boxes, as_detector
from tddfa.detectors import build_detector
from tddfa.errors import InputError
from tddfa.face import Face
from tddfa.face_batch import FaceCrops, align_crops
from tddfa.face_check.build import build_face_check
from tddfa.face_check.check import FaceCheck
from tddfa.face_check.checked_detector import CheckedDetector
from tddfa.frame import Frame
from tddfa.inputs import decoded, numbered, read_picture
from tddfa.params import FloatArray
from tddfa.picture import ImageArray
from tddfa.picture_search import find_faces
from tddfa.roi import parse_roi_box_from_bbox, parse_roi_box_from_landmark
from tddfa.runtime import Backend, Precision, Runtime

if TYPE_CHECKING:  # of videos alone
    from tddfa.tracking.follow import Smooth
    from tddfa.tracking.settings import TrackerSettings

_USUAL_FPS, _MOST_FPS = 25.0, 1000.0

Image = ImageArray | str | Path
Images = list[Image] | tuple[Image, ...]


class FaceAligner:
    """Find and align the faces of pictures and videos.

    One object may be used from several threads, and be sent to other processes: it is pickled as
    its arguments, and loads its networks anew.

    Parameters
    ----------
    config : str, Path or Config
        Configuration: which weights go with which face model. By default the x1.0 network that
        ships; ``small`` is faster, ``free`` and ``free-small`` may be used for anything
        (`tddfa.assets.NAMED_CONFIGS`).
    backend : {'onnx', 'openvino', 'torch'}
        ONNX Runtime, OpenVINO (``pip install openvino``), or PyTorch.
    device : str
        Of PyTorch: ``cpu``, ``cuda`` or ``cuda:1``.
    threads : int, optional
        Threads of ONNX Runtime and of dense reconstruction; by default as many as are useful.
    providers : sequence of str, optional
        ONNX Runtime's execution providers, the preferred one first; by default the CPU's.
    precision : {'auto', 'float32', 'bfloat16', 'int8'}
        What the networks compute in, see `tddfa.runtime.Runtime`.
    detector : str, Detector or callable, optional
        Name of a module in `tddfa.detectors`, an object of your own (`tddfa.detector.Detector`), or
        a function from a picture to rows ``xmin, ymin, xmax, ymax, score``. By default the
        configuration's.
    detector_settings : mapping, optional
        Thresholds and limits of the detector, such as ``{"vis_thres": 0.7}``, see
        `FaceBoxes.settings.DetectorSettings`.
    detect_scale : float, optional
        How finely pictures are searched for faces, see `FaceBoxes.tiles.plan_tiles`; below 1
        at no other scale, see `tddfa.picture_search`.
    upright : bool
        Turn ROIs of faces that are rolled far upright, by the roll that the configuration's face
        check sees, and in video by the pose in the frame before; and turn pictures that lie to find
        faces, frames of videos with any detector, still pictures with the configuration's. Without
        it, or without a face check, faces are found and aligned as they lie.
    second_look : bool
        Look at each face of still pictures a second time, closer and in a mirror as well: landmarks
        are off by less, for three or four times the regressor's time. Face models that are not
        symmetric, such as those in the reference's format, are looked at once; so are frames of
        videos, which are many and have the frame before as their first look.
    blendshapes : bool
        Fill `Face.blendshapes`: by the head that the configuration names, else by a fit
        to the mesh's own expression, which needs the open face model and takes longer.
    tracking_only : bool
        Read the detector of videos alone, which pictures are then searched with as well, unless
        `detector` names another one.
    assets : str or Path, optional
        Asset folder, in place of ``TDDFA_ASSETS``.

    Attributes
    ----------
    aligner : Aligner
        The regressor with its face model; it looks at each crop once.
    detector : Detector
    check : FaceCheck or None
        What sees how far faces are rolled.

    Raises
    ------
    InputError
        If a file is missing or malformed, a setting out of range, or the device is not there.

    Examples
    --------
    >>> from tddfa import FaceAligner
    >>> aligner = FaceAligner()
    >>> faces = aligner.detect("examples/inputs/astronaut.png")
    >>> len(faces), faces[0].landmarks.shape, round(faces[0].score, 1)
    (1, (3, 68), 1.0)
    """

    def __init__(
        self,
        config: str | Path | Config = DEFAULT_CONFIG,
        *,
        backend: Backend = "onnx",
        device: str = "cpu",
        threads: int | None = None,
        providers: Sequence[str] | None = None,
        precision: Precision = "auto",
        detector: str | Detector | Any = None,
        detector_settings: Mapping[str, Any] | None = None,
        detect_scale: float | None = None,
        upright: bool = True,
        second_look: bool = True,
        blendshapes: bool = False,
        tracking_only: bool = False,
        assets: str | Path | None = None,
    ) -> None:
        self._arguments = {
            "config": config,
            "backend": backend,
            "device": device,
            "threads": threads,
            "providers": providers,
            "precision": precision,
            "detector": detector,
            "detector_settings": detector_settings,
            "detect_scale": detect_scale,
            "upright": upright,
            "second_look": second_look,
            "blendshapes": blendshapes,
            "tracking_only": tracking_only,
            "assets": assets,
        }
        wanted = None if providers is None else tuple(providers)
        runtime = Runtime(backend, device, threads, wanted, precision)
        self.config = config if isinstance(config, Config) else load_config(config, assets)
        self._runtime, self._detector_settings = runtime, detector_settings or {}
        self._detector_given = detector is not None
        self._one_detector = self._detector_given or tracking_only
        if isinstance(detector, str):
            self.config = self.config.with_values(detector=detector)
            detector = None
        if detector is not None and detector_settings:
            raise InputError("detector_settings: are for a detector by name, not for an object")

        with ThreadPoolExecutor(1) as helper:  # files are read and networks made side by side
            opening = helper.submit(build_aligner, self.config, runtime, blendshapes)
            if detector is None:
                settings = detector_settings or {}
                for_videos = tracking_only and not self._detector_given
                searched = self.config.for_tracking() if for_videos else self.config
                self.detector = build_detector(searched, runtime, **settings)
            else:
                self.detector = as_detector(detector)
            self.aligner = opening.result()
        self.check: FaceCheck | None = None
        if upright and isinstance(self.detector, CheckedDetector):
            self.check = self.detector.check
        elif upright:
            self.check = build_face_check(self.config, runtime)
        self.upright, self.second_look = upright, second_look
        self.detect_scale = detect_scale

    @cached_property
    def picture_aligner(self) -> Aligner:
        """The regressor as still pictures are looked at, see `second_look`.

        Made when the first of them comes: videos and cameras need none.
        """
        return self.aligner.with_second_look() if self.second_look else self.aligner

    @cached_property
    def tracking_detector(self) -> Detector:
        """The detector that videos are searched with: the configuration's for them, or `detector`.

        What a tracker follows is looked at in every few frames, so that it may trust a detector
        that sees faces in the dark and cut by the picture's edge; a still picture is seen once, and
        has faces at any roll.
        """
        if self.config.tracking_detector_fp is None or self._one_detector:
            return self.detector
        return build_detector(self.config.for_tracking(), self._runtime, **self._detector_settings)

    @overload
    def detect(self, image: Image) -> list[Face]: ...
    @overload
    def detect(self, image: Images) -> list[list[Face]]: ...

    def detect(self, image: Image | Images) -> list[Face] | list[list[Face]]:
        """Find and align all faces.

        Parameters
        ----------
        image : ndarray, shape (H, W, 3), uint8, or path
            BGR picture; a file is read upright (`tddfa.io.pictures.imread`). A list or tuple of
            pictures, or an array of four axes, goes to `detect_batch`.

        Returns
        -------
        list of Face
            Best score first; empty where there is no face. For several: one list per picture.

        Raises
        ------
        InputError
            If it is no picture.
        """
        if isinstance(image, list | tuple):
            return self.detect_batch(image)
        if isinstance(image, np.ndarray) and image.ndim == 4:
            return self.detect_batch(list(image))
        return self.detect_batch([image])[0]

    def __call__(self, image: Image) -> list[Face]:
        """Find and align all faces of one picture, see `detect`."""
        return self.detect_batch([image])[0]

    def detect_batch(self, images: Iterable[Image]) -> list[list[Face]]:
        """Find and align the faces of several pictures; the regressor sees them together.

        Pictures may come from a generator: only the crops of their faces are kept.

        Parameters
        ----------
        images : iterable of pictures or paths
            As for `detect`; of any sizes.

        Returns
        -------
        list of lists of Face
            One list per picture, in order.

        Raises
        ------
        InputError
            If one is no picture; the message names its place.

        Examples
        --------
        >>> from tddfa import FaceAligner
        >>> path = "examples/inputs/astronaut.png"
        >>> [len(faces) for faces in FaceAligner().detect_batch([path, path])]
        [1, 1]
        """
        pictures = []
        for number, image in enumerate(images):
            picture = read_picture(image, f"image {number}")
            boxes = self.find(picture)
            rois = [parse_roi_box_from_bbox(box) for box in boxes]
            pictures.append(self.cut(picture, rois, boxes))
        return align_crops(self.picture_aligner, pictures)

    def find(self, picture: ImageArray) -> FloatArray:
        """Find the faces of a still picture, (n, 5), see `tddfa.picture_search.find_faces`."""
        return find_faces(self.detector, picture, self.detect_scale, self.upright, self.aligner)

    def align(
        self,
        image: Image,
        boxes: npt.ArrayLike | None = None,
        landmarks: Sequence[npt.ArrayLike] | None = None,
    ) -> list[Face]:
        """Align faces whose places are known; nothing is detected.

        Parameters
        ----------
        image : ndarray, shape (H, W, 3), uint8, or path
            BGR picture.
        boxes : array_like, shape (n, 4 | 5), optional
            ``[xmin, ymin, xmax, ymax(, score)]`` in pixels, as a detector draws them: forehead to
            chin. Without a score it is 1.
        landmarks : sequence of n arrays, shape (2 | 3, N), optional
            In place of boxes: landmarks in pixels, such as those of the frame before. Around them
            one look is enough.

        Returns
        -------
        list of n Face
            In the order given.

        Raises
        ------
        InputError
            If not exactly one of the two is given, or a shape is wrong.
        """
        picture = read_picture(image, "image")
        if (boxes is None) == (landmarks is None):
            raise InputError("align: expected either boxes or landmarks")
        rows = None if boxes is None else as_boxes(boxes)
        if rows is not None:
            rois = [parse_roi_box_from_bbox(row) for row in rows]
            return align_crops(self.picture_aligner, [self.cut(picture, rois, rows)])[0]
        rois = [parse_roi_box_from_landmark(points) for points in landmarks or ()]
        crops = FaceCrops.of(picture, rois, self.aligner.size, None, self._turns(picture, rois))
        return align_crops(self.aligner, [crops])[0]

    def cut(
        self, picture: ImageArray, rois: list[list[float]], boxes: FloatArray | None = None
    ) -> FaceCrops:
        """Cut the faces out of a picture as the regressor is to see them: upright, and close.

        Parameters
        ----------
        picture : ndarray, shape (H, W, 3), uint8
            BGR.
        rois : list of n ``[xmin, ymin, xmax, ymax]``
            Squares in pixels, where the faces are.
        boxes : ndarray, shape (n, 5), float32, optional
            The detector's, with scores.
        """
        turns = self._turns(picture, rois)
        closer = self.picture_aligner.closer(picture, rois, turns)
        return FaceCrops.of(picture, closer, self.aligner.size, boxes, turns)

    def _turns(self, picture: ImageArray, rois: list[list[float]]) -> list[float]:
        """Return by how many degrees ROIs are turned before the regressor sees them."""
        if self.check is None:
            return [0.0] * len(rois)
        return self.check.turns(picture, rois)

    def track(
        self,
        source: str | Path | Iterable[ImageArray | Frame],
        *,
        smooth: "Smooth" = "none",
        n_pre: int = 1,
        n_next: int = 1,
        wait: int = 3,
        fps: float | None = None,
        settings: "TrackerSettings | None" = None,
    ) -> Iterator[Frame]:
        """Follow the faces of a video.

        Parameters
        ----------
        source : path, URL, or iterable of pictures
            Video file, ``frame_%04d.png`` or a folder of pictures (`tddfa.video.open_film`), or
            frames in order: BGR arrays, or `Frame` with times of their own.
        smooth : {'none', 'mean', 'one_euro'}
            Mean over `n_pre` frames before and `n_next` after, or a filter that needs none after.
        n_pre, n_next : int
            For 'mean'.
        wait : int
            Frames of delay in which a face can be confirmed. With 0, for live pictures, the first
            frames of a face are left out instead.
        fps : float, optional
            Frames per second of what has no times of its own: arrays, a folder; 25 if left out.
        settings : TrackerSettings, optional
            Thresholds and intervals; ``TrackerSettings(max_faces=1)`` follows one face.

        Yields
        ------
        Frame
            Each frame, with faces that have a `Face.track_id`; ids are not carried over a cut.

        Raises
        ------
        InputError
            If the file is no video, a frame no picture, or an argument is out of range.

        Examples
        --------
        >>> from tddfa import FaceAligner
        >>> from tddfa.io.pictures import imread
        >>> portrait = imread("examples/inputs/astronaut.png")
        >>> for frame in FaceAligner().track([portrait] * 3):
        ...     print(frame.index, [face.track_id for face in frame.faces])
        0 [1]
        1 [1]
        2 [1]
        """
        from tddfa.tracking.follow import follow
        from tddfa.tracking.settings import TrackerSettings
        from tddfa.tracking.tracker import FaceTracker

        if fps is not None and not 0 < fps <= _MOST_FPS:
            raise InputError(f"fps: expected a number in (0, {_MOST_FPS}], got {fps}")
        settings = settings or TrackerSettings()
        if not self.upright:
            settings = replace(settings, upright=False)
        tracker = FaceTracker(self.tracking_detector, self.aligner, settings, self.check)
        if isinstance(source, str | Path):
            frames = decoded(source, fps)
        else:
            frames = numbered(source, fps or _USUAL_FPS)
        return follow(
            frames, tracker, self.aligner, smooth=smooth, n_pre=n_pre, n_next=n_next, wait=wait
        )

    @staticmethod
    def render(
        image: ImageArray, faces: Iterable[Face], output: str = "3d", **settings: Any
    ) -> ImageArray:
        """Return a picture with faces drawn on it; see `tddfa.make_output.draw_faces`.

        Parameters
        ----------
        image : ndarray, shape (H, W, 3), uint8
            BGR picture; it is not changed.
        faces : iterable of Face
        output : str
            ``2d_sparse``, ``2d_dense``, ``3d``, ``depth``, ``pncc``, ``uv_tex``, ``pose``.
        **settings
            Fields of `tddfa.outputs.OutputSettings`.
        """
        from tddfa.make_output import draw_faces

        return draw_faces(image, faces, output, **settings)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self._arguments,)


def _rebuild(arguments: Mapping[str, Any]) -> FaceAligner:
    return FaceAligner(**arguments)
