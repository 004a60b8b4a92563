"""Alignment with PyTorch, on the CPU or one GPU."""

from typing import Any

import numpy as np

from tddfa.aligner import Aligner
from tddfa.checkpoint_head import check_head
from tddfa.config import Config
from tddfa.errors import InputError
from tddfa.optional import require
from tddfa.params import FloatArray
from tddfa.rebuilt import RebuiltFromArguments
from tddfa.torch_process import check_process, was_forked


class TDDFA(RebuiltFromArguments, Aligner):
    """Regress face parameters with PyTorch.

    It can be pickled and copied: the copy loads the same files anew.

    Parameters
    ----------
    gpu_mode : bool
        Run on a CUDA device.
    gpu_id : int
        Which one.
    n_threads : int
        Threads of dense reconstruction; the network takes PyTorch's own setting.
    blendshapes : bool
        Give ARKit's 52 coefficients as well: by the head that the configuration names, else
        fitted to the mesh's expression.
    **config
        Keys of the configuration file, see `tddfa.config.Config`.

    Raises
    ------
    InputError
        If a file is missing or malformed, or there is no such GPU.
    """

    def __init__(
        self,
        gpu_mode: bool = False,
        gpu_id: int = 0,
        n_threads: int = 1,
        *,
        blendshapes: bool = False,
        **config: Any,
    ) -> None:
        parsed = Config.from_mapping(config)
        checkpoint = parsed.find("checkpoint_fp")
        check_head(checkpoint)
        require("the PyTorch path", "torch")
        import torch

        from tddfa.backbone import load_backbone
        from tddfa.checkpoints import load_labels

        has_head = blendshapes and parsed.blendshapes_fp is not None
        super().__init__(parsed, n_threads, fitted_blendshapes=blendshapes and not has_head)
        self.arguments = dict(
            gpu_mode=gpu_mode,
            gpu_id=gpu_id,
            n_threads=n_threads,
            blendshapes=blendshapes,
            **config,
        )
        if gpu_mode and not (torch.cuda.is_available() and gpu_id < torch.cuda.device_count()):
            raise InputError(f"mode gpu: no CUDA device {gpu_id}, use mode cpu")
        self.device = torch.device("cuda", gpu_id) if gpu_mode else torch.device("cpu")
        self.model: Any = None
        self.head: Any = None
        if was_forked():  # a pool that unpickles this must not lose its worker: `forward` raises
            return
        network = load_backbone(
            checkpoint, self.config.arch, self.config.widen_factor, self.config.num_params
        )
        self._check_weights(checkpoint, load_labels(checkpoint))
        self.model = network.to(self.device)
        if has_head:
            from tddfa.blendshape_head import load_head_of

            head = load_head_of(parsed.find("blendshapes_fp"), checkpoint, network)
            self.head = head.to(self.device)

    def forward(self, batch: FloatArray) -> FloatArray:
        """Map network inputs (n, 3, size, size) to normalized parameters (n, num_params).

        Raises
        ------
        InputError
            If this process was forked from one in which PyTorch was at work: it would hang.
        """
        import torch

        check_process()
        with torch.inference_mode():
            output = self.model(torch.from_numpy(batch).to(self.device))
        return np.asarray(output.cpu().numpy(), np.float32)

    def forward_all(self, batch: FloatArray) -> tuple[FloatArray, FloatArray | None]:
        """Map network inputs to normalized parameters and blendshapes, see `Aligner`."""
        if self.head is None:
            return super().forward_all(batch)
        import torch

        check_process()
        with torch.inference_mode():
            features = self.model.features(torch.from_numpy(batch).to(self.device))
            found = self.model.fc_param(features), self.head(features)
        output, coefficients = (value.cpu().numpy().astype(np.float32) for value in found)
        return output, coefficients
