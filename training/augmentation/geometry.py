"""Show crops from other views: turn the surface, crop, roll, mirror; labels move along exactly.

::

    network's pixel --(mirror, ROI, roll)--> turned canvas --(depth, rotation)--> stored canvas
                          affine                              a few fixed-point steps

Every picture is sampled once; all of it is tensor arithmetic, the same on CPU and GPU.
"""

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from tddfa.pixel_frames import to_network
from training.augmentation.views import Views
from training.dataset.batch import CANVAS, INPUT, Crops
from training.regressor.basis import TrainingBasis

# The distance by which a surface with slope s moves under a turn d is s·tan(d) of the way to the
# answer: at 12 degrees and slope 2 six steps leave less than half a hundredth.
STEPS = 6
# Lattice over the output: every fourth pixel corner, as coarse as the depth, one beyond the edges.
SPACING = 4
NODES = INPUT // SPACING + 2


def turn_matrices(yaw: Tensor, pitch: Tensor) -> Tensor:
    """Return rotations (n, 3, 3): about the vertical axis, then about the horizontal one."""
    one, zero = torch.ones_like(yaw), torch.zeros_like(yaw)
    cy, sy, cp, sp = yaw.cos(), yaw.sin(), pitch.cos(), pitch.sin()
    about_y = torch.stack([cy, zero, sy, zero, one, zero, -sy, zero, cy], 1).reshape(-1, 3, 3)
    about_x = torch.stack([one, zero, zero, zero, cp, -sp, zero, sp, cp], 1).reshape(-1, 3, 3)
    return about_x @ about_y


def turn_cameras(camera: Tensor, rotation: Tensor, center: Tensor) -> Tensor:
    """Return the cameras (n, 3, 4) of faces turned about a point (n, 3) of the canvas frame."""
    linear = rotation @ camera[:, :, :3]
    offset = rotation @ (camera[:, :, 3:] - center[:, :, None]) + center[:, :, None]
    return torch.cat([linear, offset], dim=2)


def view_squares(points: Tensor, crops: Crops, views: Views) -> tuple[Tensor, Tensor]:
    """Return center (n, 2) and side (n,) of the ROIs in the canvas frame.

    Parameters
    ----------
    points : Tensor, shape (n, 68, 3)
        Landmarks of the turned faces in the canvas frame.
    """
    low, high = points[:, :, :2].amin(dim=1), points[:, :, :2].amax(dim=1)
    center, side = (low + high) / 2, 2**0.5 * (high - low).amax(dim=1)
    # Without a detector's ROI of its own (turned faces), a crop gets one by its mean relation to
    # the landmarks' square: 1.24 times larger and centered 2.6 % higher.
    wide = torch.where(crops.detected, float(INPUT), 1.24 * side)
    up = torch.stack([torch.zeros_like(side), 0.026 * side], dim=1)
    middle = torch.full_like(center, CANVAS / 2)
    detector_center = torch.where(crops.detected[:, None], middle, center + up)
    center = torch.where(views.by_landmarks[:, None], center, detector_center)
    side = torch.where(views.by_landmarks, side, wide)
    return center + views.shift * side[:, None], side * views.scale


def show(crops: Crops, views: Views, landmarks: TrainingBasis, flip: Tensor) -> tuple[Tensor, ...]:
    """Render the views.

    Parameters
    ----------
    crops : Crops
    views : Views
    landmarks : TrainingBasis
        The 68 points.
    flip : Tensor, shape (C, C)
        `basis.mirror_matrix`.

    Returns
    -------
    images : Tensor, shape (n, 3, 120, 120), float32
        BGR, 0..255.
    params : Tensor, shape (n, 12 + C), float32
        De-normalized truth in the network's frame, 1-based (docs/conventions.md); t_z is 0.
    inside : Tensor, shape (n, 1, 120, 120), bool
        Where the view shows the stored canvas and not its continuation by reflection.
    """
    rotation = turn_matrices(views.yaw, views.pitch)
    points = landmarks.vertices(torch.cat([crops.camera.flatten(1), crops.alpha], dim=1))
    center3 = points.mean(dim=1)
    camera = turn_cameras(crops.camera, rotation, center3)
    turned = landmarks.vertices(torch.cat([camera.flatten(1), crops.alpha], dim=1))
    center, side = view_squares(turned, crops, views)
    # Canvas -> network: p' = k·Rz(roll)·(p - center) + 60
    k, c, s = INPUT / side, views.roll.cos(), views.roll.sin()
    zoom = torch.stack([k * c, -k * s, k * s, k * c], dim=1).reshape(-1, 2, 2)
    target = _target_grid(views.flip, camera.device)
    source = (target - INPUT / 2) @ torch.linalg.inv(zoom).transpose(1, 2) + center[:, None]
    index = torch.nonzero((views.yaw != 0) | (views.pitch != 0))[:, 0]
    if len(index):
        source[index] = _unturn(source[index], rotation[index], center3[index], crops.depth[index])
    grid = _every_pixel(_as_grid(source))
    inside = torch.maximum(grid[:, :1].abs(), grid[:, 1:].abs()) <= 1
    planes = crops.images.permute(0, 3, 1, 2).float()
    images = grid_sample(
        planes, grid.permute(0, 2, 3, 1), padding_mode="reflection", align_corners=False
    )
    return images, _params(camera, crops.alpha, zoom, center, k, views.flip, flip), inside


def _target_grid(flip: Tensor, device: torch.device) -> Tensor:
    """Return the nodes of the lattice in the network's frame, y up, (n, NODES², 2)."""
    edge = SPACING * (torch.arange(NODES, device=device) - 0.5)
    y, x = torch.meshgrid(INPUT - edge, edge, indexing="ij")
    plain = torch.stack([x, y], dim=2).reshape(1, -1, 2)
    mirrored = torch.stack([INPUT - x, y], dim=2).reshape(1, -1, 2)
    return torch.where(flip[:, None, None], mirrored, plain)


def _as_grid(canvas: Tensor) -> Tensor:
    """Return places of the canvas (n, k, 2) as `grid_sample` counts them: -1 to 1, y down."""
    return canvas * canvas.new_tensor([2 / CANVAS, -2 / CANVAS]) + canvas.new_tensor([-1.0, 1.0])


def _every_pixel(nodes: Tensor) -> Tensor:
    """Interpolate what is known at the lattice's nodes, (n, NODES², 2) to (n, 2, 120, 120)."""
    planes = nodes.transpose(1, 2).reshape(len(nodes), 2, NODES, NODES)
    # Node i lies at SPACING·(i - 0.5), pixel k at k + 0.5. Two matrix products are ten times as
    # fast as `interpolate`.
    place = (torch.arange(INPUT, device=nodes.device) + 0.5) / SPACING + 0.5
    distance = (place[:, None] - torch.arange(NODES, device=nodes.device)).abs()
    weights = (1 - distance).clamp_min(0)
    return weights @ planes @ weights.T


def _unturn(canvas: Tensor, rotation: Tensor, center: Tensor, depth: Tensor) -> Tensor:
    """Find which point q of the stored canvas a turn brings to each point of `canvas`.

    With the surface's depth z, R = rotation, L = R[:2, :2] and b = R[:2, 2] the point obeys
    L·q + b·z(q) = q', relative to the center; q <- L^-1 (q' - b·z(q)) converges to it.
    """
    linear = torch.linalg.inv(rotation[:, :2, :2]).transpose(1, 2)
    moved = canvas - center[:, None, :2]
    slope = rotation[:, :2, 2]
    relative = (depth - center[:, 2, None, None])[:, None]
    found = canvas
    for _ in range(STEPS):
        grid = _as_grid(found)
        z = grid_sample(relative, grid[:, None], padding_mode="border", align_corners=False)
        z = z.reshape(len(depth), -1, 1)
        found = (moved - z * slope[:, None]) @ linear + center[:, None, :2]
    return found


def _params(
    camera: Tensor,
    alpha: Tensor,
    zoom: Tensor,
    center: Tensor,
    k: Tensor,
    mirrored: Tensor,
    flip: Tensor,
) -> Tensor:
    n = len(camera)
    linear = torch.zeros(n, 3, 3, device=camera.device)
    linear[:, :2, :2] = zoom
    linear[:, 2, 2] = k
    matrix = linear @ camera[:, :, :3]
    offset = (zoom @ (camera[:, :2, 3] - center)[:, :, None])[:, :, 0] + INPUT / 2
    sign = torch.tensor([-1.0, 1.0, 1.0], device=camera.device)
    matrix = torch.where(mirrored[:, None, None], matrix * sign[:, None] * sign, matrix)
    alpha = torch.where(mirrored[:, None], alpha @ flip.T, alpha)
    x = torch.where(mirrored, INPUT - offset[:, 0], offset[:, 0])
    offset = torch.stack([to_network(x), to_network(offset[:, 1]), torch.zeros_like(x)], dim=1)
    return torch.cat([torch.cat([matrix, offset[:, :, None]], dim=2).flatten(1), alpha], dim=1)
