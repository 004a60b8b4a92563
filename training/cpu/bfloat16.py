"""Whether bfloat16 pays on this processor."""

import logging

import torch

logger = logging.getLogger(__name__)


def warn_of_slow_bfloat16(device: str, amp: bool) -> bool:
    """Say so, and return True, where ``--amp`` costs time: on CPUs that compute it in software.

    Measured on a CPU with AVX2 alone, x0.5, two cores: 36 samples a second in bfloat16, 190 in
    float32. With AVX-512 it is 459 against 247 (`benchmarks.training_speed`).

    Parameters
    ----------
    device : {'cpu', 'cuda'}
    amp : bool
    """
    capability = torch.backends.cpu.get_cpu_capability()
    slow = amp and device == "cpu" and not capability.startswith("AVX512")
    if slow:
        logger.warning(
            "--amp: this processor (%s) has no bfloat16; without --amp it trains several times "
            "as fast",
            capability,
        )
    return slow
