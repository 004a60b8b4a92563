"""Face detectors, one module each; `Config.detector` names one.

A module has ``build(config, runtime, **settings)``, which returns a `tddfa.detector.Detector`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tddfa.config import Config
    from tddfa.detector import Detector
    from tddfa.runtime import Runtime


def build_detector(config: "Config", runtime: "Runtime", **settings: Any) -> "Detector":
    """Build the detector that a configuration names, with the face check behind it, if any.

    Parameters
    ----------
    config : Config
    runtime : Runtime
    **settings
        Thresholds and limits of that detector.

    Raises
    ------
    InputError
        If there is no such detector, a file is missing, or a setting is unknown.
    """
    from tddfa.errors import InputError
    from tddfa.plugins import load_part

    module = load_part("tddfa.detectors", config.detector, "detector")
    from tddfa.face_check.build import build_face_check
    from tddfa.face_check.checked_detector import CheckedDetector

    try:
        detector: Detector = module.build(config, runtime, **settings)
    except TypeError as error:
        if settings and "keyword argument" in str(error):
            raise InputError(f"detector {config.detector}: {error}") from error
        raise
    check = build_face_check(config, runtime)
    return detector if check is None else CheckedDetector(detector, check)
