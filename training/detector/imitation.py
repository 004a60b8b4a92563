"""Soft labels for the detector: what another detector answers at each anchor.

A box says "face" or "nothing"; another detector's score also says how sure one can be. A dog's head
at 0.2 or a mask at 0.6 teaches more than either word, and no anchor's answer depends on where a
threshold of overlap was set (Hinton et al., "Distilling the Knowledge in a Neural Network", 2015).
"""

import torch
from torch import Tensor
from torch.nn.functional import log_softmax, smooth_l1_loss

from training.detector.loss import BOX_WEIGHT, hard_negatives, per_face

# From the first score on the other detector's box is learned, from the second on its score; below
# it the worst mistakes alone, as in plain training.
BOX_FROM, SCORE_FROM = 0.3, 0.05


def imitation_loss(
    loc: Tensor,
    conf: Tensor,
    wanted_loc: Tensor,
    wanted: Tensor,
    classes: Tensor,
    offsets: Tensor,
    told: Tensor,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the loss of a batch and its parts.

    Parameters
    ----------
    loc : Tensor, shape (n, P, 4)
        Encoded boxes.
    conf : Tensor, shape (n, P, 2)
        Logits of background and face.
    wanted_loc : Tensor, shape (n, P, 4)
        The other detector's encoded boxes.
    wanted : Tensor, shape (n, P)
        Its probability of a face.
    classes : Tensor, shape (n, P)
        What boxes say, see `loss.multibox_loss`. Where they know of a face, the other detector's
        doubt is halved; if it does not see it at all, nor a doubtful place, the anchor counts
        neither way.
    offsets : Tensor, shape (n, P, 4)
        True boxes, encoded.
    told : Tensor, shape (n, P), bool
        Anchors at which the other detector is no yardstick: there boxes alone say what is right.
    """
    # Where there is a face for certain, half of a doubt is enough.
    certain = (classes == 1) & (wanted > SCORE_FROM)
    wanted = torch.where(certain, 0.5 + 0.5 * wanted, wanted)
    wanted = torch.where(told, (classes == 1).to(wanted), wanted)
    wanted_loc = torch.where(told[:, :, None], offsets, wanted_loc)
    faces = wanted > BOX_FROM
    count = faces.sum().clamp_min(1)
    boxes = smooth_l1_loss(loc[faces], wanted_loc[faces], reduction="sum") / count
    guess = log_softmax(conf, dim=2)
    answer = torch.stack([1 - wanted, wanted], dim=2)
    entropy = torch.special.entr(answer).sum(dim=2)
    surprise = -(answer * guess).sum(dim=2) - entropy  # Kullback-Leibler divergence
    sure = wanted > SCORE_FROM
    # The rule of mining: 1 a face, 0 background, -1 out of the question.
    kind = sure.long()
    kind[~sure & (classes != 0)] = -1
    chosen = sure | hard_negatives(surprise.detach(), kind)
    scores = per_face(surprise, chosen, faces)
    total = BOX_WEIGHT * boxes + scores
    return total, {"boxes": boxes.detach(), "scores": scores.detach()}
