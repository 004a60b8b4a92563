"""The files behind a model's configuration, named so that no output of a run overwrites them."""

from dataclasses import fields
from pathlib import Path

from FaceBoxes.detector import default_checkpoint
from tddfa.config import Config, find_config, load_config
from tddfa.errors import InputError
from tddfa.io.targets import RunFile
from tddfa.onnx_cache import existing_onnx


def model_files(config_fp: str | Path, assets: str | Path | None = None) -> list[RunFile]:
    """Return the configuration and every file that it stands for.

    Files that are missing are left out: what needs them says so in its own words.

    Parameters
    ----------
    config_fp : str or Path
        Configuration, see `tddfa.config.load_config`.
    assets : str or Path, optional
        Asset folder.

    Raises
    ------
    InputError
        If the configuration cannot be read.
    """
    config = load_config(config_fp, assets)
    files = [RunFile(find_config(config_fp, assets), "configuration")]
    for field in fields(config):
        path = _found(config, field.name) if field.name.endswith("_fp") else None
        if path is not None:
            files.append(RunFile(path, field.name))
    networks = [file.path for file in files if file.path.suffix == ".pth"]
    if config.detector_fp is None:
        try:
            networks.append(default_checkpoint(config.assets))
        except InputError:
            pass
        else:
            files.append(RunFile(networks[-1], "detector"))
    for checkpoint in networks:
        files += [RunFile(path, "network") for path in existing_onnx(checkpoint)]
    return files


def _found(config: Config, key: str) -> Path | None:
    try:
        return config.find_if_set(key)
    except InputError:
        return None
