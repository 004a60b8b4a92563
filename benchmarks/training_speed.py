"""Samples a second of the loader, the augmentation and the network, alternating in one process.

``python -m benchmarks.training_speed data/photos --threads 2``

On a CPU the network is timed as PyTorch runs it, layer by layer, and as ``training.train`` does,
fused and with a chunk of the batch for each thread.
"""

import argparse
import time
from pathlib import Path

import torch

from tddfa.backbones.mobilenet import MobileNet
from tddfa.memory_layout import channels_last
from tddfa.model_files import load_face_model
from training.augmentation.augment import Augmenter, AugmentSettings
from training.cpu.fused import Workspace, backbone_parameters, fused_features
from training.cpu.workers import Workers
from training.dataset.packed import open_packed
from training.dataset.sampler import BatchSampler
from training.regressor.basis import landmark_basis, mirror_matrix


def fused(
    network: MobileNet,
    images: torch.Tensor,
    dtype: torch.dtype,
    workers: Workers,
    spaces: list[Workspace],
) -> None:
    """Go forward and backward with a chunk of the batch for each thread."""

    def one(part: torch.Tensor, space: Workspace) -> None:
        loss = network.fc_param(fused_features(network, part, dtype, space)).square().mean()
        torch.autograd.grad(loss, backbone_parameters(network))

    workers.map(one, images.chunk(len(spaces)), spaces)


def main() -> None:
    """Print the best of several rounds, the figure least disturbed by other work."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--face-model", default="configs/face_model.npz")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    args = parser.parse_args()
    model = load_face_model(args.face_model)
    sampler = BatchSampler([open_packed(args.data)], [1], args.batch_size, 0)
    augmenter = Augmenter(
        landmark_basis(model), mirror_matrix(model), AugmentSettings(), args.device
    )
    workers = Workers(args.threads)
    spaces = [Workspace() for _ in range(args.threads)]
    networks = {w: channels_last(MobileNet(w).to(args.device)).train() for w in (0.5, 1.0)}
    best: dict[str, float] = {}

    def clock(name: str, started: float) -> None:
        if args.device == "cuda":
            torch.cuda.synchronize()
        best[name] = min(best.get(name, 1e9), time.perf_counter() - started)

    for step in range(args.rounds):
        started = time.perf_counter()
        crops = sampler.batch(step)
        clock("read", started)
        started = time.perf_counter()
        if args.device == "cuda":
            images, _ = augmenter(crops, step)
        else:
            parts = crops.split(32)
            images = torch.cat([x for x, _ in workers.map(augmenter, parts, range(len(parts)))])
        clock("augment", started)
        images = images.contiguous(memory_format=torch.channels_last)
        for width, network in networks.items():
            torch.set_num_threads(args.threads)
            started = time.perf_counter()
            network(images).square().mean().backward()
            clock(f"network x{width}, layer by layer", started)
            if args.device == "cuda":
                continue
            torch.set_num_threads(1)
            for dtype in (torch.float32, torch.bfloat16):
                started = time.perf_counter()
                fused(network, images, dtype, workers, spaces)
                clock(f"network x{width}, fused, {str(dtype).removeprefix('torch.')}", started)
    for name, seconds in best.items():
        print(f"{name}: {args.batch_size / seconds:.0f} samples/s")


if __name__ == "__main__":
    main()
