"""FaceBoxes, the detector that ships; see the package `FaceBoxes`."""

from typing import TYPE_CHECKING, Any

from tddfa.errors import InputError

if TYPE_CHECKING:
    from tddfa.config import Config
    from tddfa.detector import DetectorBase
    from tddfa.runtime import Runtime


def build(config: "Config", runtime: "Runtime", **settings: Any) -> "DetectorBase":
    """Build FaceBoxes with the weights ``detector_fp`` or ``detector_onnx_fp``.

    Parameters
    ----------
    config : Config
    runtime : Runtime
    **settings
        Fields of `FaceBoxes.settings.DetectorSettings`.

    Raises
    ------
    InputError
        If the weights are missing or others, the device is not there, or a setting is out of range.
    """
    from FaceBoxes.settings import SettingArguments
    from tddfa.network_files import detector_onnx, find_detector

    for name in settings:
        if name not in SettingArguments.__annotations__:
            known = ", ".join(SettingArguments.__annotations__)
            raise InputError(f"detector faceboxes: expected settings of {known}, got {name!r}")

    if runtime.backend == "torch":
        from FaceBoxes.detector import FaceBoxes

        return FaceBoxes(
            checkpoint_fp=find_detector(config),
            device=runtime.device,
            assets=config.assets,
            **settings,
        )
    from FaceBoxes.onnx_detector import FaceBoxes_ONNX

    return FaceBoxes_ONNX(
        onnx_fp=detector_onnx(config),
        num_threads=runtime.threads,
        providers=runtime.providers,
        assets=config.assets,
        backend=runtime.backend,
        precision=runtime.precision,
        **settings,
    )
