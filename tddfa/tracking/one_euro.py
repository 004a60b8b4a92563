"""The 1€ filter, a low-pass filter whose cutoff follows the speed.

Source: Casiez, Roussel, Vogel, "1€ Filter: A Simple Speed-based Low-pass Filter for Noisy Input in
Interactive Systems", CHI 2012. A slow signal is smoothed much, so that it does not tremble; a fast
one little, so that it does not lag.
"""

import math
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from tddfa.errors import InputError

DoubleArray = npt.NDArray[np.float64]


@dataclass
class OneEuro:
    """Filter of a vector; one cutoff for all its entries.

    Attributes
    ----------
    min_cutoff : float
        Cutoff at rest in Hz; lower trembles less.
    beta : float
        Hz per unit of speed; higher lags less.
    derivative_cutoff : float
        Cutoff of the speed's own low-pass filter in Hz.

    Examples
    --------
    >>> smooth = OneEuro(min_cutoff=1.0)
    >>> [round(float(smooth(np.array([x]), 0.04)[0]), 3) for x in (0.0, 1.0, 1.0)]
    [0.0, 0.201, 0.361]
    """

    min_cutoff: float = 1.0
    beta: float = 0.0
    derivative_cutoff: float = 1.0
    _value: DoubleArray | None = field(default=None, init=False, repr=False)
    _speed: DoubleArray | float = field(default=0.0, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.min_cutoff <= 0 or self.beta < 0 or self.derivative_cutoff <= 0:
            raise InputError(f"one_euro: expected positive cutoffs and beta >= 0, got {self}")

    def __call__(self, value: DoubleArray, dt: float, unit: float = 1.0) -> DoubleArray:
        """Filter the next value.

        Parameters
        ----------
        value : ndarray
            Next sample.
        dt : float
            Seconds since the sample before; ignored for the first.
        unit : float
            What counts as one for the speed: a face twice as large moves twice as many pixels.
        """
        if self._value is None:
            self._value = np.array(value, np.float64)
            return self._value
        step = value - self._value
        self._value = self._value + self._gain(step, dt, unit) * step
        return self._value

    def _gain(self, step: DoubleArray, dt: float, unit: float) -> float:
        gain = smoothing_factor(self.derivative_cutoff, dt)
        self._speed = self._speed + gain * (step / dt - self._speed)
        speed = float(np.linalg.norm(self._speed)) / unit
        return smoothing_factor(self.min_cutoff + self.beta * speed, dt)


@dataclass
class Channels(OneEuro):
    """Filter of a vector whose entries are independent: each has its own speed and cutoff.

    A blink does not let go of the mouth.
    """

    def __call__(self, value: DoubleArray, dt: float, unit: float = 1.0) -> DoubleArray:
        """Filter the next value, see `OneEuro.__call__`."""
        if self._value is None:
            self._value = np.array(value, np.float64)
            return self._value
        step = value - self._value
        gain = smoothing_factor(self.derivative_cutoff, dt)
        self._speed = self._speed + gain * (step / dt - self._speed)
        rate = 2 * math.pi * (self.min_cutoff + self.beta * np.abs(self._speed) / unit) * dt
        self._value = self._value + rate / (rate + 1) * step
        return self._value


@dataclass
class RotationOneEuro(OneEuro):
    """Filter of a rotation matrix (3, 3): steps are made along the shortest arc, in radians.

    What comes out is a rotation at every step, to rounding.
    """

    def __call__(self, value: DoubleArray, dt: float, unit: float = 1.0) -> DoubleArray:
        """Filter the next rotation, see `OneEuro.__call__`."""
        if self._value is None or np.array_equal(self._value, value):
            self._value = np.array(value, np.float64)
            return self._value
        step = np.asarray(cv2.Rodrigues(self._value.T @ value)[0][:, 0], np.float64)
        turn = cv2.Rodrigues(self._gain(step, dt, unit) * step)[0]
        self._value = nearest_rotation(self._value @ turn)
        return self._value


def smoothing_factor(cutoff: float, dt: float) -> float:
    """Return the weight of the new sample in a first-order low-pass filter, eq. 4 and 5."""
    rate = 2 * math.pi * cutoff * dt
    return rate / (rate + 1)


def nearest_rotation(matrix: DoubleArray) -> DoubleArray:
    """Return the rotation next to a (3, 3) matrix, by its singular value decomposition."""
    left, _, right = np.linalg.svd(matrix)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right)) or 1.0])
    rotation: DoubleArray = (left * sign) @ right
    return rotation
