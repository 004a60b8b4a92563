"""Light and background out of a panorama: spherical harmonics, and a view of it."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from tddfa.errors import InputError
from tddfa.optional import require

FloatArray = npt.NDArray[np.float32]

# Band factors of a clamped cosine over pi (Ramamoorthi and Hanrahan, "An Efficient Representation
# for Irradiance Environment Maps", 2001, eq. 8): irradiance / pi is what a white surface reflects.
_BANDS = np.array([1, *(2 / 3,) * 3, *(1 / 4,) * 5])
# A lamp brighter than this many times the mean would be a spike in nine coefficients.
_CLIP = 60.0
# How much of the light's color a camera takes away: eyes see white, not yellow, in the evening.
_BALANCE = 0.75


@dataclass(frozen=True)
class Panorama:
    """An equirectangular picture of light.

    Attributes
    ----------
    name : str
    image : ndarray, shape (h, 2h, 3), float32
        Linear BGR; the middle looks along -z, as a camera does.
    harmonics : ndarray, shape (9, 3), float32
        Coefficients of the light that a surface reflects, by its normal.
    sun : ndarray, shape (3,), float32
        Direction that most light comes from.
    """

    name: str
    image: FloatArray
    harmonics: FloatArray
    sun: FloatArray


def basis(direction: npt.NDArray[np.floating]) -> FloatArray:
    """Return the nine real spherical harmonics of unit vectors (..., 3)."""
    x, y, z = np.moveaxis(direction, -1, 0)
    rows = [
        np.full_like(x, 0.282095),
        *(0.488603 * a for a in (y, z, x)),
        *(1.092548 * a for a in (x * y, y * z)),
        0.315392 * (3 * z * z - 1),
        1.092548 * x * z,
        0.546274 * (x * x - y * y),
    ]
    return np.asarray(np.stack(rows, axis=-1), np.float32)


def directions(height: int, width: int) -> FloatArray:
    """Return the direction of each pixel of a panorama (h, w, 3): x right, y up, -z ahead."""
    polar = np.pi * (np.arange(height) + 0.5) / height
    azimuth = 2 * np.pi * (np.arange(width) + 0.5) / width - np.pi
    s = np.sin(polar)[:, None]
    return np.asarray(
        np.stack(
            [
                s * np.sin(azimuth),
                np.broadcast_to(np.cos(polar)[:, None], (height, width)),
                -s * np.cos(azimuth),
            ],
            axis=-1,
        ),
        np.float32,
    )


def panorama(name: str, image: npt.NDArray[np.floating]) -> Panorama:
    """Make a panorama of linear BGR (h, 2h, 3), balanced as a camera would."""
    mean = image.reshape(-1, 3).mean(axis=0)
    image = image * (float(mean.mean()) / np.maximum(mean, 1e-6)) ** _BALANCE
    bright = np.minimum(image, _CLIP * float(image.mean())).astype(np.float32)
    small = cv2.resize(bright, (64, 32), interpolation=cv2.INTER_AREA)
    at = directions(32, 64)
    solid = np.sin(np.pi * (np.arange(32) + 0.5) / 32) * (np.pi / 32) * (2 * np.pi / 64)
    weighted = small * solid[:, None, None]
    harmonics = np.einsum("hwk,hwc->kc", basis(at), weighted) * _BANDS[:, None]
    sun = np.einsum("hwc,hwk->k", weighted, at)
    sun /= max(float(np.linalg.norm(sun)), 1e-9)
    return Panorama(name, bright, harmonics.astype(np.float32), sun.astype(np.float32))


def read_panorama(path: Path) -> Panorama:
    """Read a light probe (``.exr``).

    Raises
    ------
    InputError
        If it cannot be read.
    """
    require("reading light probes", "OpenEXR")
    import OpenEXR

    try:
        with OpenEXR.File(str(path)) as file:
            pixels = file.channels()["RGB"].pixels
    except Exception as error:  # the library raises its own and built-in types
        raise InputError(f"'{path}': expected a light probe (.exr)") from error
    return panorama(path.stem, np.asarray(pixels, np.float32)[..., :3][..., ::-1])


def reflected(normals: npt.NDArray[np.floating], light: FloatArray) -> FloatArray:
    """Return what white surfaces of unit normals (..., 3) reflect, (..., 3), not negative."""
    return np.asarray(np.maximum(basis(normals) @ light, 0.02), np.float32)


def view(
    image: FloatArray, rotation: npt.NDArray[np.floating], size: int, angle: float
) -> FloatArray:
    """Return a view (size, size, 3) of a panorama, linear.

    Parameters
    ----------
    image : ndarray, shape (h, 2h, 3), float32
    rotation : ndarray, shape (3, 3)
        From the camera's axes to the panorama's.
    size : int
    angle : float
        Width of the view in degrees.
    """
    half = np.tan(np.radians(angle) / 2)
    at = np.linspace(-half, half, size, dtype=np.float32)
    ray = np.stack([*np.meshgrid(at, -at), np.full((size, size), -1, np.float32)], axis=-1)
    ray = (ray / np.linalg.norm(ray, axis=-1, keepdims=True)) @ np.asarray(rotation.T, np.float32)
    height, width = image.shape[:2]
    column = (np.arctan2(ray[..., 0], -ray[..., 2]) / (2 * np.pi) + 0.5) * width - 0.5
    row = np.arccos(np.clip(ray[..., 1], -1, 1)) / np.pi * height - 0.5
    maps = column.astype(np.float32), row.astype(np.float32)
    return np.asarray(
        cv2.remap(image, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP), np.float32
    )
