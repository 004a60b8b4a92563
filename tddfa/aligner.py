"""The aligner: faces of a picture in, parameters and vertices out."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from tddfa.arkit52 import MIRRORED
from tddfa.blendshapes import ExpressionFit, fit_of
from tddfa.config import Config
from tddfa.errors import InputError
from tddfa.mirrored_look import ParameterMirror, mirror_errors, mirrored_crops, parameter_mirror
from tddfa.model_files import load_face_model
from tddfa.params import FloatArray, load_parameter_scale
from tddfa.picture import ImageArray, check_picture
from tddfa.reconstruct import Reconstructor
from tddfa.regressed import Regressed
from tddfa.roi import network_input, parse_roi_box_from_bbox, square_around
from tddfa.second_look import closer_rois, params_in, were_off
from tddfa.topology import Topology
from tddfa.upright import turn_params, turned_input
from tddfa.weight_labels import WeightLabels, check_network, check_together

# Faces that a first look sees together; more need more memory and are no faster.
_BATCH = 64


class Aligner(ABC):
    """Everything but the network's forward pass; see `tddfa.TDDFA` and `tddfa.TDDFA_ONNX`.

    Attributes
    ----------
    bfm : MorphableModel
        The face model.
    tri : Topology, shape (M, 3), int32
        Its triangles, with NCC code and texture coordinates on board.
    size : int
        Side of the network's input in pixels.
    reconstructor : Reconstructor
        Parameters to vertices, without the network.
    mirror : ParameterMirror or None
        Set where each crop is looked at in a mirror as well, see `with_second_look`.
    """

    mirror: ParameterMirror | None = None

    def __init__(
        self, config: Config, n_threads: int = 1, *, fitted_blendshapes: bool = False
    ) -> None:
        self.config = config
        self.size = config.size
        self.n_threads = n_threads
        self.bfm = load_face_model(config.find("bfm_fp"), config.model_tables(), mapped=True)
        self.reconstructor = Reconstructor(self.bfm, config.size, n_threads)
        self.scale = load_parameter_scale(config.find("param_mean_std_fp"))
        if len(self.scale.mean) != config.num_params:
            raise InputError(
                f"'{config.param_mean_std_fp}': expected {config.num_params} means, "
                f"got {len(self.scale.mean)}"
            )

        self._fit: ExpressionFit | None = fit_of(self.bfm) if fitted_blendshapes else None

    def _check_weights(self, path: Path, labels: WeightLabels) -> None:
        """Refuse weights that do not belong to the face model, the scale, or this network."""
        check_network(path, labels, self.config.arch, self.config.widen_factor)
        check_together(
            path,
            labels,
            face_model=(self.config.find("bfm_fp"), self.bfm),
            param_scale=(self.config.find("param_mean_std_fp"), self.scale),
        )

    @property
    def tri(self) -> Topology:
        """Triangles of the face model."""
        return self.bfm.tri

    @abstractmethod
    def forward(self, batch: FloatArray) -> FloatArray:
        """Map network inputs (n, 3, size, size) to normalized parameters (n, num_params)."""

    def forward_all(self, batch: FloatArray) -> tuple[FloatArray, FloatArray | None]:
        """Map network inputs to what `forward` gives and, where asked for, blendshapes.

        Returns
        -------
        params : ndarray, shape (n, num_params), float32
            Normalized.
        blendshapes : ndarray, shape (n, 52), float32, or None
            Coefficients in [0, 1], in the order of `tddfa.arkit52`.
        """
        output = self.forward(batch)
        return output, None if self._fit is None else self._fit(self.scale.denormalize(output))

    def __call__(
        self,
        img: ImageArray,
        objs: Sequence[npt.ArrayLike] | npt.NDArray[Any],
        crop_policy: str = "box",
    ) -> tuple[list[FloatArray], list[list[float]]]:
        """Regress the parameters of all faces in one batch.

        Parameters
        ----------
        img : ndarray, shape (H, W, 3), uint8
            BGR picture.
        objs : sequence of n faces
            Boxes ``[xmin, ymin, xmax, ymax(, score)]`` for ``crop_policy='box'``; landmarks or all
            vertices, (2 | 3, N), for ``crop_policy='landmark'``; pixels. All vertices stand for the
            landmarks among them, except those of a face model in the reference's format
            (`MorphableModel.reference_rules`).
        crop_policy : {'box', 'landmark'}
            What `objs` holds.

        Returns
        -------
        param_lst : list of n ndarrays, shape (62,), float32
            De-normalized parameters, see docs/conventions.md.
        roi_box_lst : list of n ``[xmin, ymin, xmax, ymax]``
            The squares that the parameters refer to, in pixels.

        Raises
        ------
        InputError
            If the picture is not (H, W, 3) uint8, or a face or the policy is malformed.
        """
        check_picture(img)
        if crop_policy not in ("box", "landmark"):
            raise InputError(f"crop_policy: expected 'box' or 'landmark', got {crop_policy!r}")
        parse = parse_roi_box_from_bbox if crop_policy == "box" else self._roi_around
        roi_boxes = [parse(obj) for obj in objs]
        if not roi_boxes:
            return [], []
        return list(self.align_rois(img, roi_boxes)), roi_boxes

    def align_rois(self, img: ImageArray, roi_boxes: Sequence[Sequence[float]]) -> FloatArray:
        """Regress the parameters of the faces in given squares: crop, forward, de-normalize.

        Parameters
        ----------
        img : ndarray, shape (H, W, 3), uint8
            BGR picture.
        roi_boxes : sequence of n ``[xmin, ymin, xmax, ymax]``
            Squares in pixels; parts beyond the picture are black.

        Returns
        -------
        ndarray, shape (n, 62), float32
            In the frame of these squares, wherever a second look looked (`with_second_look`).
        """
        given = [list(box) for box in roi_boxes]
        rois = self.closer(img, given)
        params = self.regress(network_input(img, rois, self.size))
        return params if rois is given else params_in(params, rois, given, self.size)

    def closer(
        self,
        img: ImageArray,
        roi_boxes: list[list[float]],
        angles: Sequence[float] | None = None,
    ) -> list[list[float]]:
        """Return where faces are to be looked at: where a first look finds them, if there is one.

        Parameters
        ----------
        img : ndarray, shape (H, W, 3), uint8
            BGR picture.
        roi_boxes : list of n ``[xmin, ymin, xmax, ymax]``
            Squares in pixels.
        angles : sequence of n floats, optional
            By how many degrees each is turned upright, see `tddfa.upright`.

        Returns
        -------
        list of n ``[xmin, ymin, xmax, ymax]``
            What was given unless this is an aligner `with_second_look`; else the squares around the
            landmarks of a first look, see `tddfa.second_look`; where these are far from it, of one
            more.
        """
        if self.mirror is None or not roi_boxes:
            return roi_boxes
        turns = [0.0] * len(roi_boxes) if angles is None else list(angles)
        closer = self._around_found(img, roi_boxes, turns, roi_boxes)
        again = were_off(roi_boxes, closer)
        looked, given = ([rois[i] for i in again] for rois in (closer, roi_boxes))
        found = self._around_found(img, looked, [turns[i] for i in again], given)
        for i, roi in zip(again, found, strict=True):
            closer[i] = roi
        return closer

    def _around_found(
        self,
        img: ImageArray,
        roi_boxes: list[list[float]],
        turns: list[float],
        given: list[list[float]],
    ) -> list[list[float]]:
        """Return the squares around what one look finds in others, if near those first given."""
        found: list[list[float]] = []
        for start in range(0, len(roi_boxes), _BATCH):
            part = slice(start, start + _BATCH)
            rois, angles = roi_boxes[part], turns[part]
            params = self.scale.denormalize(
                self.forward(turned_input(img, rois, angles, self.size))
            )
            if any(angles):
                params = turn_params(params, angles, self.size)
            found += closer_rois(self.reconstructor(list(params), rois), rois, given[part])
        return found

    def regress(self, crops: FloatArray) -> FloatArray:
        """Map network inputs (n, 3, size, size) to parameters (n, 62), de-normalized."""
        if not len(crops):
            return np.empty((0, len(self.scale.mean)), np.float32)
        return self._as_one(self.scale.denormalize(self.forward(self._looks(crops))))

    def regress_all(self, crops: FloatArray) -> Regressed:
        """Return what `regress` gives and, where asked for, blendshapes, see `forward_all`."""
        if not len(crops):
            return Regressed(self.regress(crops))
        output, blendshapes = self.forward_all(self._looks(crops))
        looks = self.scale.denormalize(output)
        params = self._as_one(looks)
        if self.mirror is None:
            return Regressed(params, blendshapes)
        if blendshapes is not None:
            straight, mirrored = np.split(blendshapes, 2)
            blendshapes = np.float32(0.5) * (straight + mirrored[:, MIRRORED])
        errors = mirror_errors(self.reconstructor, looks, self.size)
        return Regressed(params, blendshapes, errors)

    def with_second_look(self) -> Self:
        """Return an aligner that looks at faces a second time, closer and in a mirror as well.

        Landmarks are off by less, see docs/training.md, for three or four times the network's time:
        `closer` and `align_rois` look where faces are, and all that regress take the mean of a crop
        and its mirror image. Network and face model are shared. Where the face model is not
        symmetric, such as one in the reference's format, it is this aligner itself.
        """
        mirror = parameter_mirror(self.bfm, self.size, self.config.num_params)
        if mirror is None:
            return self
        other = object.__new__(type(self))  # not `copy`, which would load everything anew
        other.__dict__.update(vars(self), mirror=mirror)
        return other

    def _looks(self, crops: FloatArray) -> FloatArray:
        """Return crops and, where they are looked at in a mirror as well, their mirror images."""
        return crops if self.mirror is None else np.concatenate([crops, mirrored_crops(crops)])

    def _as_one(self, params: FloatArray) -> FloatArray:
        """Return one vector of parameters for each crop, of those of all looks."""
        if self.mirror is None:
            return params
        straight, mirrored = np.split(params, 2)
        return np.float32(0.5) * (straight + self.mirror(mirrored))

    def _roi_around(self, points: npt.ArrayLike) -> list[float]:
        points = np.asarray(points, np.float32)
        whole_mesh = points.ndim == 2 and points.shape[1] == self.bfm.n_vertices
        if whole_mesh and not self.bfm.reference_rules:
            points = points[:, self.bfm.landmark_vertices]
        return square_around(points)

    def recon_vers(
        self,
        param_lst: Sequence[npt.ArrayLike],
        roi_box_lst: Sequence[npt.ArrayLike],
        dense_flag: bool = False,
    ) -> list[FloatArray]:
        """Reconstruct the vertices of n faces.

        Parameters
        ----------
        param_lst, roi_box_lst : sequences of length n
            What `__call__` returned.
        dense_flag : bool
            All vertices of the face model instead of the 68 landmarks.

        Returns
        -------
        list of n ndarrays, shape (3, 68 | N), float32
            x, y in pixels of the picture (y down, pixel centers at integers); z in the same unit,
            larger is nearer, the farthest vertex at 0.

        Raises
        ------
        InputError
            If the lists differ in length.
        """
        if len(param_lst) != len(roi_box_lst):
            raise InputError(
                f"recon_vers: expected as many ROIs as parameters, "
                f"got {len(roi_box_lst)} and {len(param_lst)}"
            )
        return self.reconstructor(param_lst, roi_box_lst, dense=dense_flag)
