"""Steps of the detector's training, and the state that they can be resumed from."""

import copy
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from FaceBoxes.inference_network import InferenceNet
from FaceBoxes.network import FaceBoxesNet
from FaceBoxes.preprocess import MEAN_BGR
from tddfa.errors import InputError
from tddfa.io.atomic import replacing
from tddfa.memory_layout import channels_last
from training.cpu.workers import Workers
from training.detector.imitation import imitation_loss
from training.detector.loss import multibox_loss
from training.regressor.muon import Muon, Together
from training.regressor.network import MovingAverage

MOMENTUM, WEIGHT_DECAY, CLIP, AVERAGE = 0.9, 5e-4, 5.0, 0.999


def initialize(network: FaceBoxesNet) -> None:
    """Draw fresh weights; heads start from "no face", which nearly all anchors are."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    for head in [*network.loc, *network.conf]:
        assert isinstance(head, nn.Conv2d)
        nn.init.normal_(head.weight, 0, 0.01)
    for head in network.conf:
        assert isinstance(head, nn.Conv2d) and head.bias is not None
        with torch.no_grad():
            head.bias.copy_(torch.tensor([2.0, -2.0]).repeat(head.out_channels // 2))


def make_optimizer(
    network: FaceBoxesNet, rate: float, name: str = "sgd"
) -> torch.optim.Optimizer | Together:
    """Return SGD; or ``muon``: Muon for the kernels inside, AdamW for heads, stem and the rest.

    Raises
    ------
    InputError
        If there is no such optimizer.
    """
    if name == "sgd":
        parameters = network.parameters()
        return torch.optim.SGD(parameters, rate, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY)
    if name != "muon":
        raise InputError(f"optimizer: expected sgd or muon, got {name!r}")
    heads = {id(p) for layer in [*network.loc, *network.conf] for p in layer.parameters()}
    inner = [p for p in network.parameters() if p.ndim == 4 and id(p) not in heads]
    inner = [kernel for kernel in inner if kernel.shape[1] > 3]  # colors are no features
    chosen = {id(kernel) for kernel in inner}
    others = [p for p in network.parameters() if id(p) not in chosen]
    return Together(
        torch.optim.AdamW(others, rate, betas=(MOMENTUM, 0.99), weight_decay=0.0),
        Muon(inner, rate, weight_decay=WEIGHT_DECAY),
    )


class DetectorTrainer:
    """Network, optimizer and average of FaceBoxes.

    Parameters
    ----------
    network : FaceBoxesNet
    rate : float
        Peak learning rate.
    total_steps : int
    device : str
    amp : bool
        Run the network in bfloat16.
    workers : Workers, optional
        Threads, each of which takes a part of the batch.
    parts : int
        How many parts; batch normalization averages over one.
    teacher : FaceBoxesNet, optional
        Detector whose scores and boxes are learned in place of hard labels.
    optimizer : {'sgd', 'muon'}
        See `make_optimizer`.
    """

    def __init__(
        self,
        network: FaceBoxesNet,
        rate: float,
        total_steps: int,
        device: str,
        amp: bool = False,
        workers: Workers | None = None,
        parts: int = 1,
        teacher: FaceBoxesNet | None = None,
        optimizer: str = "sgd",
    ) -> None:
        self.network = channels_last(network.to(device))
        self.teacher = channels_last(InferenceNet(teacher).to(device)) if teacher else None
        self.amp, self.workers = amp, workers
        self.replicas = [self.network, *(_twin(self.network) for _ in range(parts - 1))]
        self.average = MovingAverage(self.network, AVERAGE)
        self.rate, self.total_steps, self.device = rate, total_steps, device
        self.optimizer = make_optimizer(self.network, rate, optimizer)
        self.step_count = 0

    def step(
        self, pictures: Tensor, classes: Tensor, offsets: Tensor, told: Tensor
    ) -> dict[str, Tensor]:
        """Make one step on pictures (n, h, w, 3); return the parts of the loss.

        `classes`, `offsets` and `told` are those of `boxes.match` and `boxes.told`.
        """
        for replica in self.replicas:
            replica.train()
        rise = min(1.0, (self.step_count + 1) / 200)
        fall = 0.5 * (1 + math.cos(math.pi * min(1.0, self.step_count / self.total_steps)))
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate * rise * (0.005 + 0.995 * fall)
        batch = (pictures, classes, offsets, told)
        split = (tensor.to(self.device).chunk(len(self.replicas)) for tensor in batch)
        pieces = list(zip(*split, strict=True))
        run = self.workers.map if self.workers else lambda *a: list(map(*a))
        found = run(self._gradients, self.replicas[: len(pieces)], pieces)
        for i, parameter in enumerate(self.network.parameters()):
            parameter.grad = torch.stack([gradients[i] for gradients, _ in found]).mean(dim=0)
        self._share_statistics(len(pieces))
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), CLIP)
        self.optimizer.step()
        self.step_count += 1
        self.average.update(self.network, self.step_count)
        logs = [log for _, log in found]
        means = {name: torch.stack([log[name] for log in logs]).mean() for name in logs[0]}
        return {**means, "gradient": norm}

    def _gradients(
        self, network: FaceBoxesNet, piece: tuple[Tensor, Tensor, Tensor, Tensor]
    ) -> tuple[tuple[Tensor, ...], dict[str, Tensor]]:
        pictures, classes, offsets, told = piece
        mean = torch.tensor(MEAN_BGR, device=pictures.device)
        images = (pictures - mean).permute(0, 3, 1, 2)  # channels last in memory
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.amp):
            loc, conf = network(images)
        if self.teacher is None:
            total, parts = multibox_loss(loc.float(), conf.float(), classes, offsets)
        else:
            with torch.no_grad():  # in float32: its scores near 0 and 1 matter
                wanted_loc, wanted = self.teacher(images)
            total, parts = imitation_loss(
                loc.float(), conf.float(), wanted_loc, wanted[:, :, 1], classes, offsets, told
            )
        gradients = torch.autograd.grad(total, list(network.parameters()))
        return gradients, {"loss": total.detach(), **parts}

    @torch.no_grad()
    def _share_statistics(self, count: int) -> None:
        """Give all replicas the mean of their running statistics."""
        for buffers in zip(*(r.buffers() for r in self.replicas[:count]), strict=True):
            if buffers[0].is_floating_point():
                buffers[0].copy_(torch.stack(buffers).mean(dim=0))
        self._hand_out_statistics()

    def _hand_out_statistics(self) -> None:
        for replica in self.replicas[1:]:
            for own, first in zip(replica.buffers(), self.network.buffers(), strict=True):
                own.copy_(first)

    def save(self, folder: Path) -> None:
        """Write the state, and the averaged weights as a checkpoint."""
        state: dict[str, Any] = {
            "network": self.network.state_dict(),
            "average": self.average.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step_count,
        }
        with replacing(folder / "state.pt") as temporary:
            torch.save(state, temporary)
        weights = {k: v.cpu().contiguous() for k, v in state["average"].items()}
        with replacing(folder / "weights.pth") as temporary:
            torch.save(weights, temporary)

    def resume(self, path: Path) -> None:
        """Read a state that `save` wrote."""
        try:
            state = torch.load(path, map_location=self.device, weights_only=True)
            self.network.load_state_dict(state["network"])
            self.average.network.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step_count = state["step"]
            self._hand_out_statistics()
        except Exception as error:  # torch documents no closed set of errors
            raise InputError(f"'{path}': expected the state of a detector's run") from error


def _twin(network: FaceBoxesNet) -> FaceBoxesNet:
    """Return a copy with the same weights in memory and statistics of its own."""
    twin = copy.deepcopy(network)
    for own, shared in zip(twin.parameters(), network.parameters(), strict=True):
        own.data = shared.data
    return twin
