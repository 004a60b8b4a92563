"""Fit parameters by gradient descent through the face model: a PyTorch render loop."""

import sys

import cv2
import numpy as np
import torch
import yaml
from bfm import BFMModel
from FaceBoxes import FaceBoxes
from models.mobilenet_v1 import MobileNet
from models.resnet import resnet22
from TDDFA import TDDFA
from utils.functions import crop_img
from utils.io import _dump, _load_tensor
from utils.tddfa_util import NormalizeGjz, ToTensorGjz, _parse_param, _to_ctype, load_model

img_fp, out = sys.argv[1:]
cfg = yaml.load(open("configs/mb1_120x120.yml"), Loader=yaml.SafeLoader)
tddfa = TDDFA(gpu_mode=False, **cfg)
img = cv2.imread(img_fp)
boxes = FaceBoxes()(img)
param_lst, roi_box_lst = tddfa(img, boxes)

# the network by hand
crop = cv2.resize(crop_img(img, roi_box_lst[0]), (tddfa.size, tddfa.size))
inp = tddfa.transform(crop).unsqueeze(0)
other = NormalizeGjz(mean=127.5, std=128)(ToTensorGjz()(crop))
assert torch.equal(inp[0], other)
with torch.no_grad():
    param = tddfa.model(inp).squeeze().cpu().numpy().flatten().astype(np.float32)
param = param * tddfa.param_std + tddfa.param_mean
assert np.allclose(param, param_lst[0], atol=1e-3)
model = load_model(MobileNet(widen_factor=1.0, num_classes=62), cfg["checkpoint_fp"]).eval()
with torch.no_grad():
    assert torch.allclose(model(inp), tddfa.model(inp), atol=1e-4)
    assert resnet22().eval()(inp).shape == (1, 62)

# the face model
bfm = BFMModel(bfm_fp=cfg["bfm_fp"], shape_dim=40, exp_dim=10)
assert np.array_equal(bfm.u, tddfa.bfm.u)
u_base = torch.from_numpy(bfm.u_base)
w_shp_base, w_exp_base = torch.from_numpy(bfm.w_shp_base), torch.from_numpy(bfm.w_exp_base)
R, offset, alpha_shp, alpha_exp = (torch.from_numpy(_to_ctype(x)) for x in _parse_param(param))


def landmarks(shp, exp):
    face = u_base + w_shp_base @ shp + w_exp_base @ exp
    return R @ face.reshape(-1, 3).T + offset


target = landmarks(alpha_shp, alpha_exp).detach()
shp = torch.zeros_like(alpha_shp, requires_grad=True)
exp = torch.zeros_like(alpha_exp, requires_grad=True)
optimizer = torch.optim.Adam([shp, exp], lr=0.05)
losses = []
for _ in range(150):
    optimizer.zero_grad()
    loss = (landmarks(shp, exp) - target).square().mean()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
assert losses[-1] < losses[0] / 20, losses[::30]

w_shp, w_exp = torch.from_numpy(tddfa.bfm.w_shp), torch.from_numpy(tddfa.bfm.w_exp)
dense = R @ (torch.from_numpy(bfm.u) + w_shp @ shp + w_exp @ exp).reshape(-1, 3).T + offset
assert dense.dtype == torch.float32 and dense.shape[1] == len(bfm.u) // 3
tri = torch.from_numpy(_to_ctype(tddfa.tri)).long()
corners = dense.detach()[:, tri]
normals = torch.cross(corners[..., 1] - corners[..., 0], corners[..., 2] - corners[..., 0], dim=0)
assert (normals.norm(dim=0) > 0).float().mean() > 0.99
_dump(f"{out}/dense.npy", dense.detach().numpy())
assert torch.equal(_load_tensor(f"{out}/dense.npy"), dense.detach())
print("fitted")
