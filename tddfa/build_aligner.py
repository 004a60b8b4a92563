"""Build the regressor that a configuration names, on the runtime that is wanted."""

import logging

from tddfa.aligner import Aligner
from tddfa.config import Config
from tddfa.runtime import Runtime

logger = logging.getLogger(__name__)


def build_aligner(config: Config, runtime: Runtime, blendshapes: bool = False) -> Aligner:
    """Build the regressor that a configuration names, see `FaceAligner`."""
    keys, threads = vars(config), runtime.threads
    if blendshapes and config.blendshapes_fp is None:
        logger.warning(
            "blendshapes: the configuration names no head (blendshapes_fp), they are fitted to the "
            "ten components of expression"
        )
    if runtime.backend != "torch":
        from tddfa.onnx_backend import TDDFA_ONNX

        return TDDFA_ONNX(
            num_threads=threads,
            providers=runtime.providers,
            n_threads=threads or 1,
            backend=runtime.backend,
            precision=runtime.precision,
            blendshapes=blendshapes,
            **keys,
        )
    from tddfa.torch_backend import TDDFA

    gpu = runtime.gpu
    return TDDFA(
        gpu_mode=gpu is not None,
        gpu_id=gpu or 0,
        n_threads=threads or 1,
        blendshapes=blendshapes,
        **keys,
    )
