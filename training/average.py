"""Average the weights of several regressors of one family.

``python -m training.average weights/mb05_120x120.pth runs/mb05_b/weights.pth --param-scale
configs/param_mean_std_62d.npz --out runs/mb05_mean``

A round of training that started from other weights lies in their valley: the mean of both keeps
what the round learned, and wavers less than its end (Wortsman et al., "Model soups", ICML 2022, and
"Robust fine-tuning of zero-shot models", CVPR 2022). ``training.export`` takes the folder as it
takes a run's: mean and deviation of the parameters go there as well.
"""

import argparse
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from tddfa.checkpoints import load_labels, load_state_dict, save_checkpoint
from tddfa.cli import run_main
from tddfa.errors import InputError
from tddfa.io.atomic import save_arrays
from tddfa.params import load_parameter_scale
from training.provenance.runs import record_derived

logger = logging.getLogger(__name__)


def mean_state(states: Sequence[Mapping[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """Return the mean of networks' states, in single precision; counters are the first one's."""
    return {
        key: torch.stack([state[key].float() for state in states]).mean(dim=0)
        if value.is_floating_point()
        else value
        for key, value in states[0].items()
    }


def average(paths: Sequence[Path]) -> dict[str, torch.Tensor]:
    """Return the mean of checkpoints, see `mean_state`.

    Raises
    ------
    InputError
        If one is of another network than the first, or says that it was trained for another
        face model or scale.
    """
    states, labels = [load_state_dict(path) for path in paths], [load_labels(p) for p in paths]
    for path, state, label in zip(paths, states, labels, strict=True):
        shapes = {key: value.shape for key, value in state.items()}
        if shapes != {key: value.shape for key, value in states[0].items()}:
            raise InputError(f"'{path}': expected the same network as in '{paths[0]}'")
        mine, first = (label.face_model, label.param_scale), labels[0]
        if mine != (first.face_model, first.param_scale):
            raise InputError(f"'{path}': expected the face model and scale of '{paths[0]}'")
    return mean_state(states)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.average",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("weights", nargs="+", type=Path, help="regressors (.pth)")
    add("--param-scale", type=Path, required=True, help="their mean and std")
    add("--out", type=Path, required=True, help="folder for weights.pth and the scale")
    args = parser.parse_args(argv)
    scale, labels = load_parameter_scale(args.param_scale), load_labels(args.weights[0])
    if labels.param_scale not in (None, scale.id):
        raise InputError(f"--param-scale: expected that of '{args.weights[0]}'")
    mean, target = average(args.weights), args.out / "weights.pth"
    save_arrays(args.out / "param_mean_std.npz", mean=scale.mean, std=scale.std)
    save_checkpoint(target, mean, labels)
    record_derived(target, args.weights)
    logger.info("mean of %d in %s", len(args.weights), target)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
