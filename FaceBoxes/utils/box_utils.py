"""Arithmetic of boxes under the reference's names, on PyTorch's tensors or NumPy's arrays.

Corners are ``xmin, ymin, xmax, ymax``, centers ``cx, cy, w, h``. What trains the detector here is
`training.detector`; these are for code that trains its own. The matching and the coding of boxes
are those of Liu et al., "SSD: Single Shot MultiBox Detector", ECCV 2016, section 2.2.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt


def _join(parts: Sequence[Any]) -> Any:
    """Put columns side by side: arrays by NumPy, tensors by PyTorch."""
    if isinstance(parts[0], np.ndarray):
        return np.concatenate(parts, axis=1)
    import torch

    return torch.cat(tuple(parts), dim=1)


def _exp(values: Any) -> Any:
    return np.exp(values) if isinstance(values, np.ndarray) else values.exp()


def _log(values: Any) -> Any:
    return np.log(values) if isinstance(values, np.ndarray) else values.log()


def point_form(boxes: Any) -> Any:
    """Return centers (n, 4) as corners."""
    half = boxes[:, 2:] / 2
    return _join((boxes[:, :2] - half, boxes[:, :2] + half))


def center_size(boxes: Any) -> Any:
    """Return corners (n, 4) as centers."""
    return _join(((boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]))


def intersect(box_a: Any, box_b: Any) -> Any:
    """Return the area that each of the boxes (a, 4) shares with each of (b, 4), a tensor (a, b)."""
    import torch

    low = torch.maximum(box_a[:, None, :2], box_b[None, :, :2])
    high = torch.minimum(box_a[:, None, 2:], box_b[None, :, 2:])
    return (high - low).clamp(min=0).prod(dim=2)


def _areas(boxes: Any) -> Any:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def jaccard(box_a: Any, box_b: Any) -> Any:
    """Return the intersection over union of boxes (a, 4) with (b, 4), a tensor (a, b)."""
    shared = intersect(box_a, box_b)
    return shared / (_areas(box_a)[:, None] + _areas(box_b)[None] - shared)


def _shared_areas(a: npt.ArrayLike, b: npt.ArrayLike) -> npt.NDArray[Any]:
    first, second = np.asarray(a), np.asarray(b)
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    areas: npt.NDArray[Any] = np.clip(high - low, 0, None).prod(axis=2)
    return areas


def matrix_iou(a: npt.ArrayLike, b: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return the intersection over union of boxes (a, 4) with (b, 4), an array (a, b)."""
    shared = _shared_areas(a, b)
    union = _areas(np.asarray(a))[:, None] + _areas(np.asarray(b))[None] - shared
    ratio: npt.NDArray[Any] = shared / union
    return ratio


def matrix_iof(a: npt.ArrayLike, b: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return the share of each of the boxes (a, 4) that lies in each of (b, 4), an array (a, b)."""
    share: npt.NDArray[Any] = _shared_areas(a, b) / np.maximum(_areas(np.asarray(a))[:, None], 1)
    return share


def encode(matched: Any, priors: Any, variances: Sequence[float]) -> Any:
    """Return the offsets that `decode` turns back into corners.

    Parameters
    ----------
    matched : tensor or ndarray, shape (n, 4)
        Corners of the box matched to each prior.
    priors : tensor or ndarray, shape (n, 4)
        Centers.
    variances : (float, float)
        0.1 and 0.2, of center and size.
    """
    center = (matched[:, :2] + matched[:, 2:]) / 2 - priors[:, :2]
    size = (matched[:, 2:] - matched[:, :2]) / priors[:, 2:]
    return _join((center / (variances[0] * priors[:, 2:]), _log(size) / variances[1]))


def decode(loc: Any, priors: Any, variances: Sequence[float]) -> Any:
    """Return the corners that the network's offsets stand for.

    Parameters
    ----------
    loc : tensor or ndarray, shape (n, 4)
        Offsets.
    priors : tensor or ndarray, shape (n, 4)
        Centers.
    variances : (float, float)
        0.1 and 0.2, of center and size.
    """
    center = priors[:, :2] + loc[:, :2] * variances[0] * priors[:, 2:]
    size = priors[:, 2:] * _exp(loc[:, 2:] * variances[1])
    return _join((center - size / 2, center + size / 2))


def match(
    threshold: float,
    truths: Any,
    priors: Any,
    variances: Sequence[float],
    labels: Any,
    loc_t: Any,
    conf_t: Any,
    idx: int,
) -> None:
    """Match priors to the boxes of one picture and write the targets of training.

    Each prior takes the box with which it overlaps most; each box keeps the prior with which it
    overlaps most, if it overlaps with it by 0.2 or more. Priors that overlap by less than
    `threshold` are background.

    Parameters
    ----------
    threshold : float
        Smallest intersection over union.
    truths : tensor, shape (k, 4)
        Corners of the boxes.
    priors : tensor, shape (P, 4)
        Centers.
    variances : (float, float)
        See `encode`.
    labels : tensor, shape (k,)
        Class of each box.
    loc_t : tensor, shape (batch, P, 4)
        Row `idx` receives the offsets.
    conf_t : tensor, shape (batch, P)
        Row `idx` receives the classes, 0 for background.
    idx : int
        Which picture of the batch.
    """
    overlaps = jaccard(truths, point_form(priors))
    best_truth_overlap, best_truth = overlaps.max(dim=0)
    best_prior_overlap, best_prior = overlaps.max(dim=1)
    usable = best_prior_overlap >= 0.2
    if not bool(usable.any()):
        loc_t[idx] = 0
        conf_t[idx] = 0
        return
    best_truth_overlap[best_prior[usable]] = 2  # above any threshold
    for number, prior in enumerate(best_prior.tolist()):
        if bool(usable[number]):
            best_truth[prior] = number
    classes = labels[best_truth].to(conf_t.dtype)
    classes[best_truth_overlap < threshold] = 0
    loc_t[idx] = encode(truths[best_truth], priors, variances)
    conf_t[idx] = classes


def log_sum_exp(x: Any) -> Any:
    """Return log Σ exp over the second axis of a tensor (n, c), as (n, 1)."""
    return x.logsumexp(dim=1, keepdim=True)


def nms(boxes: Any, scores: Any, overlap: float = 0.5, top_k: int = 200) -> tuple[Any, int]:
    """Return the boxes that remain when each removes its weaker neighbors.

    Parameters
    ----------
    boxes : tensor, shape (n, 4)
        Corners.
    scores : tensor, shape (n,)
        Scores.
    overlap : float
        Intersection over union above which the weaker of two is removed.
    top_k : int
        So many of the best take part.

    Returns
    -------
    keep : tensor, shape (n,), int64
        Rows that remain, by falling score, then zeros.
    count : int
        How many remain.
    """
    keep = scores.new_zeros(len(scores)).long()
    order = scores.argsort(descending=True, stable=True)[:top_k]
    count = 0
    while len(order):
        keep[count] = order[0]
        count += 1
        rest = order[1:]
        order = rest[jaccard(boxes[order[:1]], boxes[rest])[0] <= overlap]
    return keep, count
