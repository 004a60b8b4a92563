"""What both aligners share under the reference's names: its arguments and attributes."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

from tddfa.aligner import Aligner
from tddfa.compat.bfm import BFMModel
from tddfa.compat.pictures import as_uint8
from tddfa.compat.units import basel_factor, rescale_camera
from tddfa.drawing.checks import as_triangles
from tddfa.errors import InputError
from tddfa.morphable_model import MorphableModel
from tddfa.params import FloatArray
from tddfa.topology import Topology

_LOGGER = logging.getLogger(__name__)

# What constructors of the new API note, and those of the reference's names do not take.
_NEW_ARGUMENTS = ("backend", "precision", "blendshapes")


class ReferenceAligner(Aligner):
    """Attributes and tolerance of the reference's ``TDDFA``; a mixin before an aligner.

    Attributes
    ----------
    gpu_mode, gpu_id
        As passed to the constructor.
    param_mean, param_std : ndarray, shape (62,), float32
        The parameters are ``output * param_std + param_mean``; may be assigned, for the faces from
        then on.
    tri : Topology, shape (M, 3), int32
        Triangles of the face model; others may be assigned.
    bfm : BFMModel
        The face model, everything in float32.
    """

    arguments: dict[str, Any]
    bfm: BFMModel
    gpu_mode: bool
    gpu_id: int

    def adopt(
        self,
        gpu_mode: bool,
        gpu_id: int,
        shape_dim: int | None,
        exp_dim: int | None,
        units: str | None,
    ) -> None:
        """Set what the reference's constructor sets; called once the aligner is loaded.

        Raises
        ------
        InputError
            If a dimension is below 1 or the unit is unknown.
        """
        if units not in (None, "basel"):
            raise InputError(f"units: expected None or 'basel', got {units!r}")
        self.gpu_mode, self.gpu_id = gpu_mode, gpu_id
        model: MorphableModel = self.bfm  # as `Aligner` has loaded it
        self._factor = basel_factor(model.u) if units == "basel" else 1.0
        self._assigned_tri: Topology | None = None
        self.bfm = BFMModel.of(model, shape_dim, exp_dim, self._factor)
        for name in _NEW_ARGUMENTS:  # a copy would warn that it does not know them
            self.arguments.pop(name, None)
        self.arguments |= {"gpu_mode": gpu_mode, "gpu_id": gpu_id, "units": units}
        self.arguments |= {"shape_dim": shape_dim, "exp_dim": exp_dim}

    def __reduce__(self) -> tuple[Any, ...]:
        """Have copies take what was assigned along, see `tddfa.rebuilt`."""
        rebuild, arguments = tuple(super().__reduce__())
        return rebuild, arguments, {"scale": self.scale, "_assigned_tri": self._assigned_tri}

    @property
    def tri(self) -> Topology:
        """Triangles of the face model, or those that were assigned."""
        return self.bfm.tri if self._assigned_tri is None else self._assigned_tri

    @tri.setter
    def tri(self, triangles: npt.ArrayLike) -> None:
        """Assign triangles; they keep the model's tables if they name its vertices alone."""
        if not isinstance(triangles, Topology):
            faces, own = as_triangles(triangles), self.bfm.tri
            of_model = faces.size == 0 or 0 <= faces.min() <= faces.max() < self.bfm.n_vertices
            tables = (own.ncc_code, own.uv, own.inside) if of_model else ()
            triangles = Topology(faces, *tables)
        self._assigned_tri = triangles

    @property
    def param_mean(self) -> FloatArray:
        """Mean of the parameters."""
        return self._in_unit(self.scale.mean)

    @param_mean.setter
    def param_mean(self, mean: npt.ArrayLike) -> None:
        self.scale = replace(self.scale, mean=self._from_unit("param_mean", mean))

    @property
    def param_std(self) -> FloatArray:
        """Standard deviation of the parameters."""
        return self._in_unit(self.scale.std)

    @param_std.setter
    def param_std(self, std: npt.ArrayLike) -> None:
        self.scale = replace(self.scale, std=self._from_unit("param_std", std))

    def _in_unit(self, params: FloatArray) -> FloatArray:
        return params if self._factor == 1 else rescale_camera(params, self._factor)

    def _from_unit(self, name: str, values: npt.ArrayLike) -> FloatArray:
        numbers, length = np.array(values, np.float32).ravel(), len(self.scale.mean)
        if len(numbers) != length or not np.isfinite(numbers).all():
            raise InputError(f"{name}: expected {length} finite numbers, got {len(numbers)}")
        return numbers if self._factor == 1 else rescale_camera(numbers, 1 / self._factor)

    def __call__(
        self,
        img: npt.ArrayLike,
        objs: Sequence[npt.ArrayLike] | npt.NDArray[Any],
        crop_policy: str = "box",
        timer_flag: bool = False,
        **ignored: Any,
    ) -> tuple[list[FloatArray], list[list[float]]]:
        """Regress the parameters of all faces.

        Parameters
        ----------
        img : ndarray, shape (H, W, 3)
            BGR picture, uint8 or numbers from 0 to 255 of any type.
        objs : sequence of n faces
            Boxes, or landmarks for ``crop_policy='landmark'``.
        crop_policy : {'box', 'landmark'}
            What `objs` holds.
        timer_flag : bool
            Log the time at level INFO.
        **ignored
            Any other argument, which the reference takes and does not look at.

        Returns
        -------
        param_lst, roi_box_lst
            See `tddfa.aligner.Aligner.__call__`.
        """
        start = perf_counter()
        params, roi_boxes = super().__call__(as_uint8(img), objs, crop_policy)
        if timer_flag:
            _LOGGER.info("inference: %.2f ms", 1e3 * (perf_counter() - start))
        return [self._in_unit(param) for param in params], roi_boxes

    def recon_vers(
        self,
        param_lst: Iterable[npt.ArrayLike],
        roi_box_lst: Iterable[npt.ArrayLike],
        dense_flag: bool = False,
        timer_flag: bool = False,
        **ignored: Any,
    ) -> list[FloatArray]:
        """Reconstruct the vertices of faces, see `tddfa.aligner.Aligner.recon_vers`.

        Both lists may be any iterables; of lists of unequal length the longer one's rest is left
        out.
        """
        start = perf_counter()
        pairs = list(zip(param_lst, roi_box_lst, strict=False))
        params = [param for param, _ in pairs]
        if self._factor != 1:
            params = [rescale_camera(param, 1 / self._factor) for param in params]
        vertices = super().recon_vers(params, [roi for _, roi in pairs], dense_flag)
        if timer_flag:
            _LOGGER.info("reconstruction: %.2f ms", 1e3 * (perf_counter() - start))
        return vertices


def similar_transform(pts3d: npt.NDArray[Any], roi_box: npt.ArrayLike, size: int) -> FloatArray:
    """Take vertices from the crop's frame to the picture's, see docs/conventions.md.

    Parameters
    ----------
    pts3d : ndarray, shape (3, N)
        Vertices in pixels of the crop, y up, x and z from 1; not changed.
    roi_box : array_like, shape (4,)
        ``[xmin, ymin, xmax, ymax]`` of the crop in the picture.
    size : int
        Side of the crop, 120.

    Returns
    -------
    ndarray, shape (3, N), float32
        Pixels of the picture, y down, the farthest vertex at z = 0.
    """
    left, top, right, bottom = (float(value) for value in np.asarray(roi_box).ravel()[:4])
    scale_x, scale_y = (right - left) / size, (bottom - top) / size
    points = np.array(pts3d, np.float32)
    points[0] = (points[0] - 1) * scale_x + left
    points[1] = (size - points[1]) * scale_y + top
    points[2] = (points[2] - 1) * ((scale_x + scale_y) / 2)
    if points.size:
        points[2] -= points[2].min()
    return points
