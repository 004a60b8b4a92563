"""Start a network of twice the width from a trained one, with the same answers.

``python -m training.widen runs/mb05/weights.pth --out runs/mb1_start.pth``, then
``python -m training.train … --width 1.0 --init runs/mb1_start.pth``

Net2WiderNet (Chen et al., "Net2Net", ICLR 2016): every channel gets a twin, and what read the
channel now reads both, with weights that add up to the old one::

    x_j --w--> y        x_j --a·w--> y, y'
                        x_j'--(1-a)·w--> y, y'

The shares a are drawn anew for each weight, so that twins have different gradients and part.
"""

import argparse
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from tddfa.backbone import Backbone, build_backbone, load_backbone
from tddfa.checkpoints import load_labels, save_checkpoint
from tddfa.cli import run_main
from training.provenance.runs import record_derived

logger = logging.getLogger(__name__)


def widen(network: Backbone, seed: int = 0) -> Backbone:
    """Return a network of twice the width that computes the same, in evaluation mode."""
    generator = torch.Generator().manual_seed(seed)
    length = network.fc_param.out_features
    wide = build_backbone(network.arch, 2 * network.width, length)
    old, new = network.state_dict(), wide.state_dict()
    wide.load_state_dict({key: _grown(old[key], new[key].shape, generator) for key in new})
    return wide.eval()


def _grown(old: Tensor, shape: torch.Size, generator: torch.Generator) -> Tensor:
    """Return a layer's tensor with twins along each axis that is twice as long in `shape`."""
    if old.ndim == 0 or old.shape == shape:
        return old
    if old.shape[0] != shape[0]:  # what comes out: twins with the same weights
        old = torch.cat([old, old])
    if old.ndim > 1 and old.shape[1] != shape[1]:  # what goes in: both twins together
        share = torch.rand(old.shape, generator=generator)
        old = torch.cat([share * old, (1 - share) * old], dim=1)
    return old


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.widen",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("weights", type=Path, help="trained network (.pth)")
    parser.add_argument("--out", type=Path, required=True, help="the wider network (.pth)")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    wide = widen(load_backbone(args.weights), args.seed)
    labels = replace(load_labels(args.weights), width=str(wide.width))
    save_checkpoint(args.out, wide.state_dict(), labels)
    record_derived(args.out, [args.weights])
    logger.info("width %g, wrote %s", wide.width, args.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
