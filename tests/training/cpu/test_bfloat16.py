import pytest
import torch

from training.cpu.bfloat16 import warn_of_slow_bfloat16


@pytest.mark.parametrize(
    ("capability", "device", "amp", "slow"),
    [
        ("AVX2", "cpu", True, True),
        ("NO AVX", "cpu", True, True),
        ("DEFAULT", "cpu", True, False),  # such as ARM, where nothing was measured
        ("SVE256", "cpu", True, False),
        ("AVX512", "cpu", True, False),
        ("AVX2", "cpu", False, False),
        ("AVX2", "cuda", True, False),
    ],
)
def test_warning_names_option_and_remedy(monkeypatch, caplog, capability, device, amp, slow):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    assert warn_of_slow_bfloat16(device, amp) is slow
    said = caplog.text
    assert ("--amp" in said and capability in said and "without --amp" in said) is slow
