"""Alignment with ONNX Runtime; never imports PyTorch."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np

from tddfa.aligner import Aligner
from tddfa.config import Config
from tddfa.errors import InputError
from tddfa.network_files import blendshapes_onnx, regressor_onnx
from tddfa.onnx_labels import read_onnx_labels
from tddfa.onnx_session import open_network, run_network
from tddfa.params import FloatArray
from tddfa.rebuilt import RebuiltFromArguments
from tddfa.runtime import Backend, Precision


class TDDFA_ONNX(RebuiltFromArguments, Aligner):  # noqa: N801 (the reference's name)
    """Regress face parameters with ONNX Runtime.

    It can be pickled and copied: the copy loads the same files anew.

    Parameters
    ----------
    num_threads : int, optional
        Threads of the network; by default ONNX Runtime's choice, one per physical core.
    providers : sequence of str, optional
        ONNX Runtime's execution providers, the preferred one first, as ``"cuda"`` or
        ``"CUDAExecutionProvider"``; by default the CPU's.
    backend : {'onnx', 'openvino'}
        What runs the network.
    precision : {'auto', 'float32', 'bfloat16', 'int8'}
        What it computes in, see `tddfa.runtime.Runtime`.
    n_threads : int
        Threads of dense reconstruction.
    blendshapes : bool
        Give ARKit's 52 coefficients as well: by the head that the configuration names, else
        fitted to the mesh's expression.
    **config
        Keys of the configuration file, see `tddfa.config.Config`. Without ``onnx_fp`` the
        ``.onnx`` beside the checkpoint is used, or made once (see `tddfa.onnx_cache`).

    Raises
    ------
    InputError
        If a file is missing or malformed, or a provider is not available.
    """

    def __init__(
        self,
        num_threads: int | None = None,
        providers: Sequence[str] | None = None,
        n_threads: int = 1,
        *,
        backend: Backend = "onnx",
        precision: Precision = "auto",
        blendshapes: bool = False,
        **config: Any,
    ) -> None:
        settings = Config.from_mapping(config)
        path = regressor_onnx(settings, quantized=precision == "int8")
        self.has_head = blendshapes and settings.blendshapes_fp is not None
        network = blendshapes_onnx(settings, path) if self.has_head else path
        opened = partial(
            open_network,
            backend=backend,
            providers=providers,
            num_threads=num_threads,
            precision=precision,
        )
        with ThreadPoolExecutor(1) as helper:
            opening = helper.submit(opened, network)
            super().__init__(
                settings, n_threads, fitted_blendshapes=blendshapes and not self.has_head
            )
            self._check_weights(path, read_onnx_labels(path))
            self.session = opening.result()
        self.arguments = dict(
            num_threads=num_threads,
            providers=providers,
            n_threads=n_threads,
            backend=backend,
            precision=precision,
            blendshapes=blendshapes,
            **config,
        )
        self._path = path
        node = self.session.get_inputs()[0]
        self.input_name = node.name
        shape = self.session.get_outputs()[0].shape
        size_fits = node.shape[-1] in (self.size, None) or isinstance(node.shape[-1], str)
        if len(node.shape) != 4 or not size_fits or shape[-1] != self.config.num_params:
            raise InputError(
                f"'{path}': expected a network from (n, 3, {self.size}, {self.size}) to "
                f"{self.config.num_params} parameters, got {node.shape} to {shape}"
            )

    def __reduce__(self) -> tuple[Callable[[], Any], tuple[()]]:
        """Return how to make it anew, looking as it looks."""
        make, _ = super().__reduce__()
        return (make if self.mirror is None else partial(_looking_again, make)), ()

    def forward(self, batch: FloatArray) -> FloatArray:
        """Map network inputs (n, 3, size, size) to normalized parameters (n, num_params)."""
        output, *_ = run_network(self.session, batch, self._path)
        return np.asarray(output, np.float32)

    def forward_all(self, batch: FloatArray) -> tuple[FloatArray, FloatArray | None]:
        """Map network inputs to normalized parameters and blendshapes, see `Aligner`."""
        if not self.has_head:
            return super().forward_all(batch)
        output, coefficients = run_network(self.session, batch, self._path)
        return np.asarray(output, np.float32), np.asarray(coefficients, np.float32)


def _looking_again(make: Callable[[], TDDFA_ONNX]) -> TDDFA_ONNX:
    return make().with_second_look()
