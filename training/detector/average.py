"""Average the weights of several detectors of one family, and move their scores.

``python -m training.detector.average runs/fb3/weights.pth runs/fb4/weights.pth --score 0.6 --out
runs/fb``

Rounds of training that started from each other lie in one valley: the mean of their weights is at
least as good as each (Wortsman et al., "Model soups", ICML 2022). ``--score 0.6`` makes of a score
of 0.6 one of 0.5, which is where the package takes a find for a face: rounds with other labels
differ in how easily they say so. No order of scores changes.
"""

import argparse
import logging
import math
from collections.abc import Sequence
from pathlib import Path

import torch

from FaceBoxes.network import FaceBoxesNet, load_network
from tddfa.cli import run_main
from tddfa.errors import InputError
from tddfa.io.atomic import replacing
from training.average import mean_state
from training.provenance.runs import record_derived

logger = logging.getLogger(__name__)


def average(networks: Sequence[FaceBoxesNet], score: float = 0.5) -> FaceBoxesNet:
    """Return the mean network, whose score is 0.5 where it was `score`."""
    mean = FaceBoxesNet()
    mean.load_state_dict(mean_state([network.state_dict() for network in networks]))
    shift = math.log(score / (1 - score)) / 2
    with torch.no_grad():
        for head in mean.conf:
            assert isinstance(head, torch.nn.Conv2d) and head.bias is not None
            head.bias += torch.tensor([shift, -shift]).repeat(head.out_channels // 2)
    return mean.eval()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.detector.average",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("weights", nargs="+", type=Path, help="detectors (.pth)")
    parser.add_argument("--score", type=float, default=0.5, help="becomes 0.5 (%(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="folder for weights.pth")
    args = parser.parse_args(argv)
    if not 0 < args.score < 1:
        raise InputError(f"--score: expected a score between 0 and 1, got {args.score}")
    network = average([load_network(path) for path in args.weights], args.score)
    with replacing(args.out / "weights.pth") as temporary:
        torch.save(network.state_dict(), temporary)
    record_derived(args.out / "weights.pth", args.weights)
    logger.info("wrote %s", args.out / "weights.pth")
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
