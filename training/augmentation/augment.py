"""From stored crops to what the network sees, on the CPU or a GPU alike."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Generator, Tensor

from tddfa.arkit52 import MIRRORED
from training.augmentation.geometry import show
from training.augmentation.occlusion import OcclusionSettings, cover, fill_borders
from training.augmentation.photometric import PhotometricSettings, degrade
from training.augmentation.views import ViewSettings, draw_views
from training.dataset.batch import INPUT, Crops
from training.regressor.basis import TrainingBasis


@dataclass(frozen=True)
class AugmentSettings:
    """Settings of all steps; ``--set views.roll=10`` on the command line changes one."""

    views: ViewSettings = field(default_factory=ViewSettings)
    occlusion: OcclusionSettings = field(default_factory=OcclusionSettings)
    photometric: PhotometricSettings = field(default_factory=PhotometricSettings)


PLAIN = AugmentSettings(
    ViewSettings(turn=0, landmark_policy=0.5, shift=0, log_scale=0, rolled=0, small_roll=0, flip=0),
    OcclusionSettings(0, 1, 0, (15, 55), 0, 0),
    PhotometricSettings(
        low_resolution=0, blur=0, jpeg=0, gray=0, noise=0, gamma=0, contrast=0, brightness=0,
        channel_gain=0,
    ),
)  # fmt: skip
"""Settings that change nothing but the ROI's policy, for validation."""


class Augmenter:
    """Turn `Crops` into network inputs and true parameters.

    Parameters
    ----------
    landmarks : TrainingBasis
        The 68 points.
    flip : Tensor, shape (C, C)
        `basis.mirror_matrix`.
    settings : AugmentSettings
    device : torch.device or str
        Where the work is done.
    blendshapes : bool
        Put the 52 coefficients behind the parameters.
    """

    def __init__(
        self,
        landmarks: TrainingBasis,
        flip: Tensor,
        settings: AugmentSettings,
        device: torch.device | str = "cpu",
        blendshapes: bool = False,
    ) -> None:
        self.landmarks = landmarks.to(device)
        self.flip = flip.to(device)
        self.settings = settings
        self.device = torch.device(device)
        self.blendshapes = blendshapes

    def __call__(self, crops: Crops, seed: int) -> tuple[Tensor, Tensor]:
        """Return inputs (n, 3, 120, 120), normalized, and parameters (n, 12 + C [+ 52]).

        The same seed gives the same views on the same kind of device, so that a batch can be made
        again instead of being kept.
        """
        generator = Generator(self.device).manual_seed(seed)
        with torch.no_grad():
            crops = crops.to(self.device)
            crops = fill_borders(crops, self.settings.occlusion, generator)
            crops = crops.repeat(self.settings.views.frames)
            views = draw_views(len(crops), self.settings.views, generator)
            images, params, inside = show(crops, views, self.landmarks, self.flip)
            points = self.landmarks.vertices(params)[:, :, :2] - 1
            points[:, :, 1] = INPUT - 1 - points[:, :, 1]
            images = cover(images, points, inside, self.settings.occlusion, generator)
            images = degrade(images, self.settings.photometric, generator)
            truth = [params]
            if self.blendshapes:
                shapes = crops.blendshapes
                truth.append(torch.where(views.flip[:, None], shapes[:, MIRRORED], shapes))
            return images.sub_(127.5).div_(128), torch.cat(truth, dim=1)
