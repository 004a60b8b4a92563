"""MultiBox loss with hard-negative mining (Liu et al., "SSD", ECCV 2016, section 2.2)."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, smooth_l1_loss

BOX_WEIGHT = 2.0
NEGATIVES_PER_FACE = 7
# A picture without a face teaches by its worst mistakes.
LEAST_NEGATIVES = 16


def multibox_loss(
    loc: Tensor, conf: Tensor, classes: Tensor, offsets: Tensor
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the loss of a batch and its parts.

    Parameters
    ----------
    loc : Tensor, shape (n, P, 4)
        Encoded boxes.
    conf : Tensor, shape (n, P, 2)
        Logits of background and face.
    classes : Tensor, shape (n, P)
        1 face, 0 background, -1 ignored.
    offsets : Tensor, shape (n, P, 4)
        True boxes, encoded, for the anchors of class 1.
    """
    faces = classes == 1
    count = faces.sum().clamp_min(1)
    boxes = smooth_l1_loss(loc[faces], offsets[faces], reduction="sum") / count
    surprise = cross_entropy(conf.flatten(0, 1), classes.clamp_min(0).flatten(), reduction="none")
    surprise = surprise.reshape(classes.shape)
    chosen = faces | hard_negatives(surprise.detach(), classes)
    scores = per_face(surprise, chosen, faces)
    total = BOX_WEIGHT * boxes + scores
    return total, {"boxes": boxes.detach(), "scores": scores.detach()}


def per_face(surprise: Tensor, chosen: Tensor, faces: Tensor) -> Tensor:
    """Return the chosen anchors' surprise for each anchor of a face.

    Without faces it is their mean, lest such a batch outweigh all others.
    """
    total = surprise[chosen]
    return total.sum() / faces.sum() if faces.any() else total.mean()


def hard_negatives(surprise: Tensor, classes: Tensor) -> Tensor:
    """Return which background anchors (n, P) count: the worst ones, seven for each of a face."""
    background = classes == 0
    wanted = NEGATIVES_PER_FACE * (classes == 1).sum(dim=1)
    wanted = torch.minimum(wanted.clamp_min(LEAST_NEGATIVES), background.sum(dim=1))
    rank = surprise.masked_fill(~background, -1.0).argsort(dim=1, descending=True).argsort(dim=1)
    return background & (rank < wanted[:, None])
