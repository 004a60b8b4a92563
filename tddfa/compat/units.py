"""Millimeters and Basel's unit: what the scale of the camera is counted in.

Our face model is in millimeters, so that the camera's scale s is in crop pixels per millimeter,
about 0.5 for a face as the detector frames it. The reference's Basel model is in micrometers, and s
is about 0.0005 there. Code that filters by s, or mixes parameters with Basel's own arrays, needs
the latter.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt

from tddfa.params import N_CAMERA, FloatArray

Units = Literal["basel"] | None

MICROMETERS = 1000.0
"""Basel's units in a millimeter."""
# A face is 150 mm wide; a mean shape far larger than that is counted in micrometers.
_LARGEST_IN_MM = 5000.0


def basel_factor(mean: npt.ArrayLike) -> float:
    """Return how many of Basel's units are in one of a face model with this mean shape.

    Parameters
    ----------
    mean : array_like, 3N values
        Mean shape of the model: 1000 if it is in millimeters, 1 if it has Basel's unit already.
    """
    return MICROMETERS if float(np.abs(np.asarray(mean)).max()) < _LARGEST_IN_MM else 1.0


def rescale_camera(params: npt.ArrayLike, factor: float) -> FloatArray:
    """Return parameters for a face model whose numbers are `factor` times as large.

    The 3×3 part s·R shrinks by the factor; the translation, in pixels, and the coefficients stay.

    Parameters
    ----------
    params : array_like, shape (..., 62 | 72 | 141)
        De-normalized parameters.
    factor : float
        Above 0.

    Returns
    -------
    ndarray of the same shape, float32

    Examples
    --------
    >>> rescale_camera(np.arange(62.0), 1000)[:5]
    array([0.   , 0.001, 0.002, 3.   , 0.004], dtype=float32)
    """
    out = np.array(params, np.float32)
    camera = out[..., :N_CAMERA].reshape(*out.shape[:-1], 3, 4)
    camera[..., :3] /= np.float32(factor)
    out[..., :N_CAMERA] = camera.reshape(*out.shape[:-1], N_CAMERA)
    return out


def to_basel_units(params: npt.ArrayLike) -> FloatArray:
    """Return parameters of our face model, in millimeters, as if it were in Basel's unit.

    For code that looks at the scale: ``P2sRt(to_basel_units(param)[:12].reshape(3, 4))`` gives the
    s that the reference gives. ``TDDFA(units="basel", **cfg)`` does this to all that it returns.

    Parameters
    ----------
    params : array_like, shape (..., 62 | 72 | 141)
        De-normalized parameters for a face model in millimeters.
    """
    return rescale_camera(params, MICROMETERS)
