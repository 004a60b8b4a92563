"""Prepare a clip for training a talking head: landmarks, expression and smoothed crops."""

import sys
from collections import deque

import cv2
import numpy as np
import yaml
from FaceBoxes.FaceBoxes_ONNX import FaceBoxes_ONNX
from TDDFA_ONNX import TDDFA_ONNX, _parse_param
from utils.functions import calc_hypotenuse, cv_draw_landmark, draw_landmarks, parse_roi_box_from_landmark
from utils.io import _dump, _load
from utils.pose import viz_pose

video_fp, out = sys.argv[1:]
cfg = yaml.load(open("configs/mb05_120x120.yml"), Loader=yaml.SafeLoader)
face_boxes = FaceBoxes_ONNX(timer_flag=False)
tddfa = TDDFA_ONNX(gpu_mode=False, gpu_id=0, **cfg)

n_pre, n_next = 1, 1
n = n_pre + n_next + 1
queue_ver, queue_frame = deque(), deque()
pre_ver = None
smooth, expressions, detections = [], [], 0
reader = cv2.VideoCapture(video_fp)
while True:
    ok, frame_bgr = reader.read()
    if not ok:
        break
    if pre_ver is None:
        boxes = face_boxes(frame_bgr)
        boxes = [boxes[0]]
        detections += 1
        param_lst, roi_box_lst = tddfa(frame_bgr, boxes)
        ver = tddfa.recon_vers(param_lst, roi_box_lst, dense_flag=False)[0]
        # refine
        param_lst, roi_box_lst = tddfa(frame_bgr, [ver], crop_policy="landmark")
        ver = tddfa.recon_vers(param_lst, roi_box_lst, dense_flag=False)[0]
        for _ in range(n_pre):
            queue_ver.append(ver.copy())
            queue_frame.append(frame_bgr.copy())
    else:
        param_lst, roi_box_lst = tddfa(frame_bgr, [pre_ver], crop_policy="landmark")
        roi_box = roi_box_lst[0]
        if abs(roi_box[2] - roi_box[0]) * abs(roi_box[3] - roi_box[1]) < 2020:
            boxes = face_boxes(frame_bgr)
            detections += 1
            param_lst, roi_box_lst = tddfa(frame_bgr, [boxes[0]])
        ver = tddfa.recon_vers(param_lst, roi_box_lst, dense_flag=False)[0]
    pre_ver = ver
    queue_ver.append(ver.copy())
    queue_frame.append(frame_bgr.copy())
    R, t, alpha_shp, alpha_exp = _parse_param(param_lst[0])
    expressions.append(alpha_exp.ravel())
    if len(queue_ver) >= n:
        ver_ave = np.mean(queue_ver, axis=0)
        img_draw = cv_draw_landmark(queue_frame[n_pre], ver_ave)
        img_draw = draw_landmarks(queue_frame[n_pre], [ver_ave], dense_flag=False)
        viz_pose(img_draw, param_lst, [ver_ave])
        smooth.append(ver_ave)
        queue_ver.popleft()
        queue_frame.popleft()

x1, y1, x2, y2 = parse_roi_box_from_landmark(smooth[0])
assert abs(calc_hypotenuse(smooth[0]) - (x2 - x1) / 3) < 1e-3
_dump(f"{out}/landmarks.npy", np.stack(smooth))
_dump(f"{out}/meta.pkl", {"expressions": np.stack(expressions), "detections": detections})
assert np.array_equal(_load(f"{out}/landmarks.npy"), np.stack(smooth))
print(len(smooth), _load(f"{out}/meta.pkl")["detections"])
