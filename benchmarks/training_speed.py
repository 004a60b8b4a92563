"""Samples a second of the loader, the augmentation and the network, alternating in one process.

``python benchmarks/training_speed.py data/photos --threads 1``
"""

import argparse
import time
from pathlib import Path

import torch

from tddfa.mobilenet import MobileNet
from tddfa.model_files import load_face_model
from training.augment import Augmenter, AugmentSettings
from training.basis import landmark_basis, mirror_matrix
from training.network import channels_last
from training.packed import open_packed
from training.sampler import BatchSampler


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
    torch.set_num_threads(args.threads)
    model = load_face_model(args.face_model)
    sampler = BatchSampler([open_packed(args.data)], [1], args.batch_size, 0)
    augmenter = Augmenter(
        landmark_basis(model), mirror_matrix(model), AugmentSettings(), args.device
    )
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
        images, _ = augmenter(crops, step)
        clock("augment", started)
        images = images.contiguous(memory_format=torch.channels_last)
        for width, network in networks.items():
            started = time.perf_counter()
            network(images).square().mean().backward()
            clock(f"network x{width}", started)
    for name, seconds in best.items():
        print(f"{name}: {args.batch_size / seconds:.0f} samples/s")


if __name__ == "__main__":
    main()
