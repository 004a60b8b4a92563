"""Label many pictures in several processes: parameters, meshes, boxes of both detectors."""

import copy
import json
import multiprocessing
import os
import sys

import cv2
import numpy as np
import yaml
from FaceBoxes.FaceBoxes import FaceBoxes, viz_bbox
from FaceBoxes.FaceBoxes_ONNX import FaceBoxes_ONNX
from FaceBoxes.utils.nms_wrapper import nms
from FaceBoxes.utils.timer import Timer
from TDDFA_ONNX import TDDFA_ONNX
from utils.functions import get_suffix
from utils.io import _get_suffix
from utils.pncc import pncc
from utils.serialization import (
    get_colors,
    ser_to_obj,
    ser_to_obj_multiple,
    ser_to_obj_single,
    ser_to_ply,
    ser_to_ply_multiple,
    ser_to_ply_single,
)


class Labeller:
    def __init__(self, cfg):
        self.face_boxes = FaceBoxes_ONNX()
        self.tddfa = TDDFA_ONNX(**cfg)

    def __call__(self, img_fp):
        img = cv2.imread(img_fp).astype(np.float32)  # float from here on
        boxes = self.face_boxes(img)
        param_lst, roi_box_lst = self.tddfa(img, boxes)
        return img_fp, boxes, [param.tolist() for param in param_lst], roi_box_lst


if __name__ == "__main__":
    out, *files = sys.argv[1:]
    cfg = yaml.load(open("configs/mb05_120x120.yml"), Loader=yaml.SafeLoader)
    labeller = Labeller(cfg)
    backup = copy.deepcopy(labeller)  # the processes below get one each
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        labels = pool.map(labeller, files)
    assert [label[1] for label in labels] == [backup(f)[1] for f in files]

    slow = FaceBoxes()
    timer = Timer()
    tddfa = labeller.tddfa
    for img_fp, boxes, params, rois in labels:
        img = cv2.imread(img_fp)
        timer.tic()
        both = boxes + slow(img)  # lists
        timer.toc()
        kept = nms(np.array(both, dtype=np.float32).reshape(-1, 5), 0.5)
        assert len(kept) == len(boxes)
        stem = f"{out}/{os.path.basename(img_fp).replace(get_suffix(img_fp), '')}"
        assert _get_suffix(img_fp) == get_suffix(img_fp)[1:]
        viz_bbox(img.copy(), boxes, wfp=f"{stem}_boxes.jpg")
        ver_lst = tddfa.recon_vers(params, rois, dense_flag=True)
        height = img.shape[0]
        ser_to_ply(ver_lst, tddfa.tri, height=height, wfp=f"{stem}.ply")
        ser_to_obj(img, ver_lst, tddfa.tri, height=height, wfp=f"{stem}.obj")
        ser_to_ply_multiple(ver_lst, tddfa.tri, height, f"{stem}_m.ply", reverse=True)
        ser_to_obj_multiple(img, ver_lst, tddfa.tri, height, f"{stem}_m.obj")
        ser_to_ply_single(ver_lst, tddfa.tri, height, f"{stem}_s.ply")
        ser_to_obj_single(img, ver_lst, tddfa.tri, height, f"{stem}_s.obj")
        for ver in ver_lst:
            colors = get_colors(img, ver)
            assert colors.shape == (ver.shape[1], 3) and 0 <= colors.min() <= colors.max() <= 1
        np.save(f"{out}/tri.npy", tddfa.tri)
        pncc(img, ver_lst, np.load(f"{out}/tri.npy"), wfp=f"{stem}_pncc.png", with_bg_flag=False)
    with open(f"{out}/labels.json", "w") as f:
        json.dump(labels, f)
    print(timer.calls, [len(label[1]) for label in labels])
