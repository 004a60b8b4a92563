"""From the network's output to boxes in the picture."""

import numpy as np
from numpy.typing import NDArray

from FaceBoxes.box_coding import decode
from FaceBoxes.nms import nms
from FaceBoxes.prior_box import prior_boxes
from FaceBoxes.settings import DetectorSettings
from tddfa.errors import InputError


def postprocess(
    loc: NDArray[np.float32],
    conf: NDArray[np.float32],
    size: tuple[int, int],
    scale: float,
    settings: DetectorSettings,
) -> NDArray[np.float32]:
    """Return the detections of one picture.

    Parameters
    ----------
    loc : ndarray, float32 (P, 4)
        Encoded boxes of the anchors.
    conf : ndarray, float32 (P, 2)
        Probabilities of background and face.
    size : (int, int)
        Height and width of the network's input in pixels.
    scale : float
        Network pixels per pixel of the picture.
    settings : DetectorSettings
        Thresholds.

    Returns
    -------
    ndarray, float32 (n, 5)
        Rows ``xmin, ymin, xmax, ymax, score`` in pixels of the picture, by falling score.

    Raises
    ------
    InputError
        If the network's output does not fit the anchors of this size.
    """
    priors = prior_boxes(*size)
    if loc.shape != priors.shape or conf.shape != (len(priors), 2):
        raise InputError(
            f"network: expected outputs {priors.shape} and {(len(priors), 2)}, "
            f"got {loc.shape} and {conf.shape}: not a FaceBoxes model"
        )
    # NMS never lets a weaker anchor act on a stronger one, so those that would not be reported
    # need not be decoded at all.
    scores = conf[:, 1]
    candidates = np.flatnonzero(scores > max(settings.confidence_threshold, settings.vis_thres))
    if len(candidates) > settings.top_k:
        order = np.argsort(-scores[candidates], kind="stable")
        candidates = candidates[order[: settings.top_k]]
    height, width = size
    boxes = decode(loc[candidates], priors[candidates])
    boxes *= np.array([width, height, width, height], np.float32)
    dets = np.column_stack((boxes, scores[candidates]))
    dets = dets[nms(dets, settings.nms_threshold, settings.keep_top_k)]
    dets[:, :4] /= np.float32(scale)
    return dets
