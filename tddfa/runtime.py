"""Where networks run: library, device, threads."""

from dataclasses import dataclass
from typing import Literal

from tddfa.errors import InputError

Backend = Literal["onnx", "openvino", "torch"]
Precision = Literal["auto", "float32", "bfloat16", "int8"]
# What each backend computes in; ``auto`` is the first.
PRECISIONS: dict[str, tuple[str, ...]] = {
    "onnx": ("float32", "int8"),
    "openvino": ("bfloat16", "float32"),
    "torch": ("float32",),
}


@dataclass(frozen=True)
class Runtime:
    """Where networks run.

    Attributes
    ----------
    backend : {'onnx', 'openvino', 'torch'}
        ONNX Runtime or OpenVINO, which never import PyTorch, or PyTorch.
    device : str
        Of PyTorch: ``cpu``, ``cuda`` or ``cuda:1``.
    threads : int or None
        Threads of ONNX Runtime and of dense reconstruction; None: as many as are useful.
    providers : tuple of str or None
        ONNX Runtime's execution providers, the preferred one first; None: the CPU's.
    precision : {'auto', 'float32', 'bfloat16', 'int8'}
        What networks compute in. ``auto``: float32, but for OpenVINO bfloat16 where the processor
        has it. ``int8``, with ONNX Runtime: the regressor's quantized file; the detector computes
        in float32.

    Raises
    ------
    InputError
        If a value is another one, or those of one library are given for the other.
    """

    backend: Backend = "onnx"
    device: str = "cpu"
    threads: int | None = None
    providers: tuple[str, ...] | None = None
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        if self.backend not in PRECISIONS:
            raise InputError(f"backend: expected {', '.join(PRECISIONS)}, got {self.backend!r}")
        known = ("auto", *PRECISIONS[self.backend])
        if self.precision not in known:
            raise InputError(
                f"precision: expected {', '.join(known)} with {self.backend}, "
                f"got {self.precision!r}"
            )
        kind, _, number = str(self.device).partition(":")
        if kind not in ("cpu", "cuda") or (number and (kind == "cpu" or not number.isdecimal())):
            raise InputError(f"device: expected cpu, cuda or cuda:N, got {self.device!r}")
        if self.backend != "torch" and kind != "cpu":
            raise InputError(f"device {self.device}: is PyTorch's; pass providers with onnx")
        if self.backend != "onnx" and self.providers is not None:
            raise InputError("providers: are ONNX Runtime's; pass device with torch")
        if self.threads is not None and self.threads < 1:
            raise InputError(f"threads: expected an integer from 1 up, got {self.threads}")

    @property
    def gpu(self) -> int | None:
        """Number of PyTorch's CUDA device, None for the CPU."""
        kind, _, number = self.device.partition(":")
        return int(number or 0) if kind == "cuda" else None
