"""What training minimizes; derived in docs/training.md.

Parameters p are de-normalized, z = (p - mean) / std is what the network gives. Star: the truth.
Every loss is a mean over the batch. Sources: Guo et al., "Towards Fast, Accurate and Stable 3D
Dense Face Alignment", ECCV 2020, and Zhu et al., "Face Alignment in Full Pose Range", 2017.
"""

import torch
from torch import Tensor
from torch.nn.functional import smooth_l1_loss

from tddfa.ibug68 import LID_PAIRS, LIP_PAIRS
from tddfa.params import N_CAMERA
from training.regressor.basis import TrainingBasis

T_Z = 11  # place of the camera's z translation, which no picture shows
DEPTH_WEIGHT = 0.35
SOFTENING = 0.05
LEAST_SPREAD = 0.05  # of a blendshape's labels: what hardly moves is mostly noise


def set_depth(params: Tensor, truth: Tensor) -> Tensor:
    """Return the parameters with the true z translation in place of theirs."""
    return torch.cat([params[:, :T_Z], truth[:, T_Z : T_Z + 1], params[:, T_Z + 1 :]], dim=1)


def vdc(params: Tensor, truth: Tensor, basis: TrainingBasis) -> Tensor:
    """Vertex distance cost: mean over the mesh of ||V(p) - V(p*)||², square pixels.

    With `basis.compressed_basis` this is exact for all vertices at the price of 154.
    """
    difference = basis.vertices(set_depth(params, truth)) - basis.vertices(truth)
    return difference.square().sum(dim=(1, 2)).mean()


def fwpdc_weights(params: Tensor, truth: Tensor, basis: TrainingBasis) -> Tensor:
    """Weights of the fast weighted parameter distance cost, (n, 12 + C), largest 1.

    The weight of a parameter is how far the mesh moves if it alone is predicted and all others are
    true: ||V(p* with p_i) - V(p*)||. V is linear in each parameter, so that one shape is enough::

        T(r, i), i = 1..3   |dT(r, i)| · ‖S*(i, :)‖
        T(r, 4)             |dT(r, 4)| · √N
        a_j                 |da_j| · f · ‖W(:, j)‖,  f = ‖T*(:, :3)‖_F / √3
    """
    delta = (set_depth(params, truth) - truth).abs()
    shape = basis.shapes(truth[:, N_CAMERA:])
    axis = shape.square().sum(dim=1).sqrt()
    whole = basis.ones.square().sum().sqrt().expand(len(truth), 1)
    camera = torch.cat([axis, whole], dim=1).repeat(1, 3)
    linear = truth[:, :N_CAMERA].reshape(-1, 3, 4)[:, :, :3]
    factor = linear.square().sum(dim=(1, 2)).sqrt() / 3**0.5
    columns = basis.components.square().sum(dim=(0, 1)).sqrt()
    weights = delta * torch.cat([camera, factor[:, None] * columns], dim=1)
    return weights / weights.amax(dim=1, keepdim=True).clamp_min(1e-12)


def fwpdc(
    output: Tensor, target: Tensor, params: Tensor, truth: Tensor, basis: TrainingBasis
) -> Tensor:
    """Fast weighted parameter distance cost: mean of ||w ∘ (z - z*)||².

    The weights are constants of the optimization: no gradient flows through them.
    """
    weights = fwpdc_weights(params.detach(), truth, basis)
    return (weights * (output - target)).square().sum(dim=1).mean()


def distance(params: Tensor, truth: Tensor, basis: TrainingBasis) -> Tensor:
    """Mean distance of vertices in pixels, depth counting 0.35, softened at zero.

    Not of the paper: a first power, which unlike VDC does not let the worst faces rule.
    """
    difference = basis.vertices(set_depth(params, truth)) - basis.vertices(truth)
    scale = difference.new_tensor([1.0, 1.0, DEPTH_WEIGHT])
    return ((difference * scale).square().sum(dim=2) + SOFTENING).sqrt().mean()


def openings(params: Tensor, truth: Tensor, landmarks: TrainingBasis) -> Tensor:
    """Mean error of the vectors across lids and lips, pixels.

    A lid that stays half open costs a pixel or two of 68 points' mean distance, which is nothing;
    here it is the whole loss.
    """
    pairs = [pair for eye in LID_PAIRS for pair in eye[:2]] + list(LIP_PAIRS)
    upper, lower = torch.tensor(pairs, device=params.device).T
    found, true = landmarks.vertices(params), landmarks.vertices(truth)
    error = (found[:, upper] - found[:, lower]) - (true[:, upper] - true[:, lower])
    return (error[:, :, :2].square().sum(dim=2) + SOFTENING).sqrt().mean()


def parameter_distance(output: Tensor, target: Tensor) -> Tensor:
    """Smooth L1 of the normalized parameters, which keeps those the vertices hardly show."""
    keep = [i for i in range(output.shape[1]) if i != T_Z]
    return smooth_l1_loss(output[:, keep], target[:, keep])


def landmark_regression(predicted: Tensor, truth: Tensor, landmarks: TrainingBasis) -> Tensor:
    """Regularization by 68 points in 2D that a second head regresses, in units of the crop.

    Parameters
    ----------
    predicted : Tensor, shape (n, 136)
        x and y of each point over 120: targets of order one, else the branch starves.
    """
    points = landmarks.vertices(truth)[:, :, :2].flatten(1) / 120.0
    return (predicted - points).square().sum(dim=1).mean()


def balanced(main: Tensor, other: Tensor) -> Tensor:
    """Return main + (|main| / |other|)·other, the ratio taken as a constant.

    The paper's way to add the vanilla-joint and the landmark term: both count alike.
    """
    ratio = main.detach().abs() / other.detach().abs().clamp_min(1e-12)
    return main + ratio * other


def blendshape_distance(found: Tensor, true: Tensor, spread: Tensor) -> Tensor:
    """Squared errors of the coefficients (n, 52) in units of their deviations (52,).

    Mean over the batch and the coefficients; those without a label (NaN) count as right.
    """
    known = torch.isfinite(true)
    error = torch.where(known, found - torch.where(known, true, 0.0), 0.0)
    return (error.square() / (spread + LEAST_SPREAD)).mean()
