"""A live avatar's loop: track the face, relight it, put its texture on a turned head."""

import sys

import cv2
import numpy as np
import yaml
from FaceBoxes.FaceBoxes_ONNX import FaceBoxes_ONNX
from Sim3DR import RenderPipeline
from Sim3DR.lighting import convert_type, norm_vertices
from Sim3DR.Sim3DR import get_normal, rasterize
from TDDFA_ONNX import TDDFA_ONNX
from utils.functions import crop_img, parse_roi_box_from_landmark
from utils.render import cfg as render_cfg
from utils.render import render, render_app
from utils.render_ctypes import render as render_matt
from utils.uv import bilinear_interpolate, g_uv_coords, get_colors, indices, process_uv, uv_tex

video_fp, out = sys.argv[1:]
cfg = yaml.load(open("configs/mb05_120x120.yml"), Loader=yaml.SafeLoader)
face_boxes, tddfa = FaceBoxes_ONNX(), TDDFA_ONNX(**cfg)
app = RenderPipeline(**render_cfg)
reader = cv2.VideoCapture(video_fp)
pre_ver, number, means = None, 0, []
while True:
    ok, frame = reader.read()
    if not ok:
        break
    if pre_ver is None:
        param_lst, roi_box_lst = tddfa(frame, [face_boxes(frame)[0]])
    else:
        param_lst, roi_box_lst = tddfa(frame, [pre_ver], crop_policy="landmark")
    pre_ver = tddfa.recon_vers(param_lst, roi_box_lst)[0]
    ver = tddfa.recon_vers(param_lst, roi_box_lst, dense_flag=True)[0]

    # the light goes round
    angle = number / 3
    render_app.update_light_pos((5 * np.sin(angle), 0, 5 * np.cos(angle)))
    shown = render(frame, [ver], tddfa.tri, alpha=1.0, with_bg_flag=False)
    means.append(float(shown[shown > 0].mean()))
    matt = render_matt(frame, [ver], tddfa.tri, alpha=0.6)
    assert matt.shape == frame.shape and (matt != frame).any()

    # our own renderer, on a float canvas
    vertices = np.ascontiguousarray(ver.T)
    canvas = np.zeros(frame.shape, dtype=np.float32)
    colors = get_colors(frame, ver) / 255.0
    drawn = rasterize(vertices, tddfa.tri, colors, bg=canvas)
    assert drawn.max() > 100 and (canvas == drawn).all()
    normal = get_normal(vertices, tddfa.tri)
    assert np.allclose(np.linalg.norm(normal, axis=1), 1, atol=1e-3)
    boxed = norm_vertices(vertices.copy())
    assert np.isclose(np.abs(boxed).max(), 1, atol=0.2)
    lit = app(vertices, tddfa.tri, frame.copy(), colors)
    assert (lit != frame).any()
    x1, y1, x2, y2 = parse_roi_box_from_landmark(pre_ver)
    last = frame
    face = cv2.resize(crop_img(lit, [x1, y1, x2, y2]), (128, 128))
    number += 1

# texture space by hand, as uv_tex does it
tex = uv_tex(last, [ver], tddfa.tri)
places = process_uv(g_uv_coords.copy(), uv_h=256, uv_w=256)
assert places.shape == (ver.shape[1], 3) and indices.shape == (ver.shape[1],)
byhand = rasterize(places, tddfa.tri, colors, height=256, width=256, channel=3)
assert np.abs(byhand.astype(int) - tex).max() <= 1
assert bilinear_interpolate(last, np.array([3.5]), np.array([2.0])).shape == (1, 3)
assert convert_type((0, 0, 5)).shape == (1, 3)
cv2.imwrite(f"{out}/face.png", face)
cv2.imwrite(f"{out}/tex.png", tex)
print(number, max(means) - min(means) > 5)
