"""Draw how the face of a crop shall be seen: turned, cropped, rolled, mirrored."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor


@dataclass(frozen=True)
class ViewSettings:
    """How much views vary; angles in degrees, lengths as shares of the ROI's side.

    Attributes
    ----------
    turn : float
        Share of crops that are turned out of the plane by moving their textured surface.
    turn_yaw, turn_pitch : float
        Standard deviations of that turn.
    turn_limit : float
        Largest turn; beyond it hidden skin would have to appear.
    landmark_policy : float
        Share of ROIs taken around the landmarks, as video does, the others as a detector gives.
    shift, log_scale : float
        Standard deviations of the ROI's place and size.
    roll, small_roll, rolled : float
        Standard deviations of the roll, and the share of the first.
    flip : float
        Share of mirrored views.
    frames : int
        Views per crop that differ little from each other: short-video synthesis.
    """

    turn: float = 0.6
    turn_yaw: float = 5.0
    turn_pitch: float = 6.0
    turn_limit: float = 12.0
    landmark_policy: float = 0.5
    shift: float = 0.035
    log_scale: float = 0.07
    roll: float = 20.0
    small_roll: float = 4.0
    rolled: float = 0.6
    flip: float = 0.5
    frames: int = 1


@dataclass(frozen=True)
class Views:
    """One view of each of n crops; angles in radians, the others as in `ViewSettings`."""

    yaw: Tensor
    pitch: Tensor
    by_landmarks: Tensor
    shift: Tensor
    scale: Tensor
    roll: Tensor
    flip: Tensor


def draw_views(count: int, settings: ViewSettings, generator: Generator) -> Views:
    """Draw views for `count` crops on the generator's device.

    With ``settings.frames`` = f, every f views in a row are adjacent frames of one short video:
    they share all draws but for scale within ±5 %, roll within ±3°, shift within ±5 of 120 px, yaw
    and pitch within ±5° (Guo et al., ECCV 2020, section 3.4). `count` is then a multiple of f.
    """
    clips = count // settings.frames

    def uniform(*shape: int) -> Tensor:
        return torch.rand(shape, generator=generator, device=generator.device)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, device=generator.device)

    turned = uniform(clips) < settings.turn
    limit = math.radians(settings.turn_limit)
    yaw = turned * (normal(clips) * math.radians(settings.turn_yaw)).clamp(-limit, limit)
    pitch = turned * (normal(clips) * math.radians(settings.turn_pitch)).clamp(-limit, limit)
    spread = torch.where(uniform(clips) < settings.rolled, settings.roll, settings.small_roll)
    views = Views(
        yaw=yaw,
        pitch=pitch,
        by_landmarks=uniform(clips) < settings.landmark_policy,
        shift=normal(clips, 2) * settings.shift,
        scale=(normal(clips) * settings.log_scale).clamp(-0.2, 0.2).exp(),
        roll=torch.deg2rad((normal(clips) * spread).clamp(-60, 60)),
        flip=uniform(clips) < settings.flip,
    )
    if settings.frames == 1:
        return views
    repeated = {name: v.repeat_interleave(settings.frames, 0) for name, v in vars(views).items()}

    def around(half: float, *shape: int) -> Tensor:
        return (uniform(count, *shape) * 2 - 1) * half

    return Views(
        yaw=repeated["yaw"] + around(math.radians(5)),
        pitch=repeated["pitch"] + around(math.radians(5)),
        by_landmarks=repeated["by_landmarks"],
        shift=repeated["shift"] + around(5 / 120, 2),
        scale=repeated["scale"] * (1 + around(0.05)),
        roll=repeated["roll"] + around(math.radians(3)),
        flip=repeated["flip"],
    )
