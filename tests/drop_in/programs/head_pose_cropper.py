"""Crop every face of some pictures and list its head pose: a dataset cleaner's script."""

import argparse
import csv
import os

import cv2
import numpy as np
import yaml
from FaceBoxes import FaceBoxes
from TDDFA import TDDFA
from utils.functions import cv_draw_landmark, get_suffix, parse_roi_box_from_bbox, crop_img, RED
from utils.io import mkdir
from utils.pose import P2sRt, calc_pose, matrix2angle, plot_pose_box, viz_pose
from utils.tddfa_util import _parse_param, str2bool


def main(args):
    cfg = yaml.load(open(args.config), Loader=yaml.SafeLoader)
    cfg["dataset_name"] = "mine"  # a setting of our own in the same file
    gpu_mode = args.mode == "gpu"
    tddfa = TDDFA(gpu_mode=gpu_mode, **cfg)
    face_boxes = FaceBoxes()
    mkdir(args.out)

    rows = []
    for img_fp in args.img_fp:
        img = cv2.imread(img_fp)
        boxes = face_boxes(img)
        if not boxes:
            print(f"No face in {img_fp}")
            continue
        # the largest face first
        boxes.sort(key=lambda b: (b[2] - b[0]) * (b[3] - b[1]), reverse=True)
        boxes = [b for b in boxes if b[4] > 0.6]
        param_lst, roi_box_lst = tddfa(img, boxes)
        ver_lst = tddfa.recon_vers(param_lst, roi_box_lst, dense_flag=args.dense)
        name = os.path.basename(img_fp).replace(get_suffix(img_fp), "")

        for i, (box, param, ver) in enumerate(zip(boxes, param_lst, ver_lst)):
            P, pose = calc_pose(param)
            R, offset, alpha_shp, alpha_exp = _parse_param(param)
            s, R_, t = P2sRt(np.concatenate((R, offset), axis=1))
            angles = [np.degrees(x) for x in matrix2angle(R_)]
            assert np.allclose(angles, pose, atol=1e-3)
            assert np.allclose(P, np.concatenate((R_, t[:, np.newaxis]), axis=1))
            roi = parse_roi_box_from_bbox(box)
            crop = cv2.resize(crop_img(img, roi), (256, 256))
            cv2.imwrite(f"{args.out}/{name}_{i}.jpg", crop)
            rows.append([name, i] + [f"{x:.2f}" for x in pose] + [f"{s:.6f}"])

        shown = cv_draw_landmark(img, ver_lst[0], box=boxes[0], color=RED, size=2)
        cv2.imwrite(f"{args.out}/{name}_points.jpg", shown)
        rgb = img[:, :, ::-1]  # a view, as people pass it on
        plot_pose_box(rgb, P, ver_lst[-1])
        viz_pose(img, param_lst, ver_lst, show_flag=args.show, wfp=f"{args.out}/{name}_pose.jpg")
        assert (img == cv2.imread(img_fp)).mean() < 1  # it is drawn into

    with open(f"{args.out}/pose.csv", "w", newline="") as f:
        csv.writer(f).writerows([["name", "face", "yaw", "pitch", "roll", "s"]] + rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("-c", "--config", type=str, default="configs/mb1_120x120.yml")
    parser.add_argument("-f", "--img_fp", type=str, nargs="+")
    parser.add_argument("-m", "--mode", type=str, default="cpu")
    parser.add_argument("-o", "--out", type=str)
    parser.add_argument("--dense", type=str2bool, default="false")
    parser.add_argument("--show", type=str2bool, default="no")
    main(parser.parse_args())
