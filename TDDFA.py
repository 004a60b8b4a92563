"""The reference's name of the aligner in PyTorch; new code has `tddfa.TDDFA`."""

from pathlib import Path
from typing import Any

from tddfa import torch_backend
from tddfa.compat.aligner import ReferenceAligner, similar_transform
from tddfa.compat.arguments import check_gpu_mode, configuration
from tddfa.compat.transforms import network_transform
from tddfa.params import parse_param as _parse_param

__all__ = ["TDDFA", "_parse_param", "make_abs_path", "similar_transform"]


def make_abs_path(fn: str) -> str:
    """Return the path of a file beside this module."""
    return str(Path(__file__).resolve().parent / fn)


class TDDFA(ReferenceAligner, torch_backend.TDDFA):
    """Regress face parameters with PyTorch; takes what the reference's constructor takes.

    Parameters
    ----------
    gpu_mode : bool
        Run on a CUDA device.
    gpu_id : int
        Which one.
    shape_dim, exp_dim : int, optional
        Components in `bfm`; all by default.
    units : {None, 'basel'}
        ``'basel'``: parameters and `bfm` in Basel's unit, see `tddfa.compat.units`.
    n_threads : int
        Threads of dense reconstruction.
    **kvs
        Keys of the configuration file, see `tddfa.config.Config`. Others are ignored with a
        warning.

    Attributes
    ----------
    model : torch.nn.Module
        The network.
    transform : callable
        From a 120x120 BGR crop, uint8, to the network's input (3, 120, 120).
    """

    def __init__(
        self,
        gpu_mode: bool = False,
        gpu_id: int = 0,
        shape_dim: int | None = None,
        exp_dim: int | None = None,
        units: str | None = None,
        n_threads: int = 1,
        **kvs: Any,
    ) -> None:
        check_gpu_mode(gpu_mode)
        super().__init__(gpu_mode, gpu_id, n_threads, **configuration(kvs))
        self.adopt(gpu_mode, gpu_id, shape_dim, exp_dim, units)
        self.transform = network_transform()
        if self.model is not None:  # None in a forked process
            self.model.requires_grad_(False)  # `model(x).numpy()` needs no torch.no_grad()
