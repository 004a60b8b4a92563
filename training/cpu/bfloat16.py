"""Whether bfloat16 pays on this processor."""

import logging

import torch

logger = logging.getLogger(__name__)
# What PyTorch calls x86 processors without AVX-512. Of others nothing was measured.
_WITHOUT = ("NO AVX", "AVX2")


def warn_of_slow_bfloat16(device: str, amp: bool) -> bool:
    """Say so, and return True, where ``--amp`` costs time: on CPUs that compute it in software.

    Whole steps of x0.5 on two cores with AVX2 alone: 36 samples a second in bfloat16, 190 in
    float32, by the training's log.

    Parameters
    ----------
    device : {'cpu', 'cuda'}
    amp : bool
    """
    capability = torch.backends.cpu.get_cpu_capability()
    slow = amp and device == "cpu" and capability in _WITHOUT
    if slow:
        logger.warning(
            "--amp: this processor (%s, no AVX-512) computes bfloat16 in software; without --amp "
            "it trains several times as fast",
            capability,
        )
    return slow
