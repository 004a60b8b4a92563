"""What the regressor says of crops."""

from dataclasses import dataclass

from tddfa.params import FloatArray


@dataclass(frozen=True, eq=False)
class Regressed:
    """What the network says of n crops.

    Attributes
    ----------
    params : ndarray, shape (n, 62), float32
        De-normalized parameters.
    blendshapes : ndarray, shape (n, 52), float32, or None
        Coefficients, where they were asked for.
    mirror_errors : ndarray, shape (n,), float32, or None
        See `tddfa.Face.mirror_error`; None where each crop was looked at once.
    """

    params: FloatArray
    blendshapes: FloatArray | None = None
    mirror_errors: FloatArray | None = None
