# A notebook, saved as a script.
import sys

import cv2
import matplotlib.pyplot as plt
import numpy as np
import yaml
from FaceBoxes import FaceBoxes
from skimage import io
from TDDFA import TDDFA, make_abs_path, similar_transform
from utils.depth import depth
from utils.functions import *
from utils.pncc import calc_ncc_code, pncc
from utils.pose import viz_pose
from utils.render import render
from utils.serialization import ser_to_obj, ser_to_ply
from utils.uv import uv_tex

img_url, out = sys.argv[1:]

# In[1]
cfg = yaml.load(open(make_abs_path("configs/mb1_120x120.yml")), Loader=yaml.SafeLoader)
face_boxes = FaceBoxes()
tddfa = TDDFA(gpu_mode=False, **cfg)

# In[2]
img = io.imread(img_url)
img = img[..., ::-1]  # RGB -> BGR
boxes = face_boxes(img)
print(f"Detect {len(boxes)} faces")

# In[3]
param_lst, roi_box_lst = tddfa(img, boxes, crop_policy="box", timer_flag=True)
ver_lst = tddfa.recon_vers(param_lst, roi_box_lst, dense_flag=False, timer_flag=True)
draw_landmarks(img, ver_lst, dense_flag=False, wfp=f"{out}/sparse.png")
draw_landmarks(img, ver_lst, style="simple", show_flag=False, wfp=f"{out}/sparse.pdf")

# In[4]
dense = tddfa.recon_vers(param_lst, roi_box_lst, dense_flag=True)
draw_landmarks(img, dense, dense_flag=True, color="c", wfp=f"{out}/dense.png")
draw_landmarks(img, dense, dense_flag=True, color="r", markersize=2, wfp=f"{out}/dense_red.png")
render(img, dense, tddfa.tri, alpha=0.6, show_flag=False, wfp=f"{out}/3d.jpg")
depth(img, dense, tddfa.tri, show_flag=False, wfp=f"{out}/depth.jpg", with_bg_flag=True)
pncc(img, dense, np.array(tddfa.tri), show_flag=False, wfp=f"{out}/pncc.png")
texture = uv_tex(img, dense, np.array(tddfa.tri), show_flag=False, wfp=f"{out}/uv.png")
plt.imshow(texture[..., ::-1])
plt.savefig(f"{out}/figure.png")

# In[5]: by hand
from utils.tddfa_util import _parse_param

R, offset, alpha_shp, alpha_exp = _parse_param(param_lst[0])
pts3d = R @ (
    tddfa.bfm.u + tddfa.bfm.w_shp @ alpha_shp + tddfa.bfm.w_exp @ alpha_exp
).reshape(3, -1, order="F") + offset
assert np.abs(similar_transform(pts3d, roi_box_lst[0], tddfa.size) - dense[0]).max() < 0.01
u = tddfa.bfm.u.reshape(3, -1, order="F")
ncc = calc_ncc_code()
if ncc is not None:
    assert np.allclose(ncc, (u - u.min(1, keepdims=True)) / np.ptp(u, axis=1, keepdims=True), atol=1e-5)

# In[6]
viz_pose(img, param_lst, ver_lst, show_flag=False, wfp=f"{out}/pose.jpg")
ser_to_ply(dense, tddfa.tri, height=img.shape[0], wfp=f"{out}/face.ply")
ser_to_obj(img, dense, tddfa.tri, height=img.shape[0], wfp=f"{out}/face.obj")
