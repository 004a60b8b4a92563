"""The reference's name of the aligner in ONNX Runtime; new code has `tddfa.TDDFA_ONNX`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tddfa import onnx_backend
from tddfa.compat.aligner import ReferenceAligner, similar_transform
from tddfa.compat.arguments import check_gpu_mode, configuration, providers_for
from tddfa.compat.bfm import BFMSession
from tddfa.params import FloatArray
from tddfa.params import parse_param as _parse_param

__all__ = ["TDDFA_ONNX", "_parse_param", "make_abs_path", "similar_transform"]


def make_abs_path(fn: str) -> str:
    """Return the path of a file beside this module."""
    return str(Path(__file__).resolve().parent / fn)


class TDDFA_ONNX(ReferenceAligner, onnx_backend.TDDFA_ONNX):  # noqa: N801 (the reference's name)
    """Regress face parameters with ONNX Runtime; takes what the reference's constructor takes.

    It can be pickled and copied: the copy loads the same files anew.

    Parameters
    ----------
    gpu_mode : bool
        Run on a CUDA device, where this ONNX Runtime has one; else a warning, and the CPU.
    gpu_id : int
        Which one.
    shape_dim, exp_dim : int, optional
        Components in `bfm`; all by default.
    units : {None, 'basel'}
        ``'basel'``: parameters and `bfm` in Basel's unit, see `tddfa.compat.units`.
    num_threads, providers, n_threads
        See `tddfa.TDDFA_ONNX`.
    **kvs
        Keys of the configuration file, see `tddfa.config.Config`. Others are ignored with a
        warning.

    Attributes
    ----------
    session : onnxruntime.InferenceSession
        The network.
    bfm_session : BFMSession
        The face model, to be run as a session.
    """

    def __init__(
        self,
        gpu_mode: bool = False,
        gpu_id: int = 0,
        shape_dim: int | None = None,
        exp_dim: int | None = None,
        units: str | None = None,
        num_threads: int | None = None,
        providers: Sequence[str] | None = None,
        n_threads: int = 1,
        **kvs: Any,
    ) -> None:
        check_gpu_mode(gpu_mode)
        if gpu_mode and providers is None:
            providers = providers_for(gpu_id)
        keys = configuration(kvs)
        super().__init__(num_threads, providers, n_threads, **keys)
        self.adopt(gpu_mode, gpu_id, shape_dim, exp_dim, units)
        self.bfm_session = BFMSession(self.bfm)

    @property
    def u_base(self) -> FloatArray:
        """Mean shape at the landmarks (204, 1)."""
        return self.bfm.u_base

    @property
    def w_shp_base(self) -> FloatArray:
        """Shape basis at the landmarks (204, S)."""
        return self.bfm.w_shp_base

    @property
    def w_exp_base(self) -> FloatArray:
        """Expression basis at the landmarks (204, E)."""
        return self.bfm.w_exp_base
