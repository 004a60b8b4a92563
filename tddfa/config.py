"""Configurations: which weights go with which face model."""

import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from tddfa.assets import find_asset, is_file
from tddfa.errors import InputError
from tddfa.model_files import ModelTables
from tddfa.params import LAYOUTS

# Characters of a configuration; ours have less than a thousand.
_LONGEST = 1 << 18


@dataclass(frozen=True)
class Config:
    """Contents of a configuration file; the first six keys are the reference's.

    Attributes
    ----------
    arch : str
        Network; ``mobilenet``.
    widen_factor : float
        Width of the network, 1.0 or 0.5 for the known weights.
    checkpoint_fp : str
        Weights of the regressor, ``.pth``.
    bfm_fp : str
        Face model, ``.npz`` (ours) or ``.pkl`` (the reference's).
    size : int
        Side of the network's input in pixels.
    num_params : int
        Number of regressed parameters, 62, 72 or 141.
    param_mean_std_fp : str
        Mean and std of the parameters, ``.npz`` or ``.pkl``.
    onnx_fp : str, optional
        The regressor as ONNX; by default beside the checkpoint.
    tri_fp, uv_fp, uv_indices_fp, ncc_fp : str, optional
        Tables of a face model in the reference's format.
    detector_fp, detector_onnx_fp : str, optional
        Weights of FaceBoxes, ``.pth`` and ``.onnx``.
    assets : str, optional
        Asset folder; by default the one named by ``TDDFA_ASSETS``.
    folder : Path, optional
        Where the configuration lies; relative paths are looked up there first.
    """

    arch: str = "mobilenet"
    widen_factor: float = 1.0
    checkpoint_fp: str = "weights/mb1_120x120.pth"
    bfm_fp: str = "configs/bfm_noneck_v3.pkl"
    size: int = 120
    num_params: int = 62
    param_mean_std_fp: str = "configs/param_mean_std_62d_120x120.pkl"
    onnx_fp: str | None = None
    tri_fp: str | None = None
    uv_fp: str | None = None
    uv_indices_fp: str | None = None
    ncc_fp: str | None = None
    detector_fp: str | None = None
    detector_onnx_fp: str | None = None
    assets: str | None = None
    folder: Path | None = None

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any], source: str = "configuration") -> "Config":
        """Check keys, types and values.

        Raises
        ------
        InputError
            On an unknown key or a value of the wrong kind.
        """
        known = {field.name: field for field in fields(cls)}
        for key, value in values.items():
            if key not in known:
                raise InputError(
                    f"{source}: unknown key {_short(key)}, expected one of {', '.join(known)}"
                )
            annotation = known[key].type
            kind = annotation.__name__ if isinstance(annotation, type) else str(annotation)
            expected: tuple[type, ...] = (
                (int,) if kind == "int" else (int, float) if kind == "float" else (str, Path)
            )
            optional = value is None and "None" in kind
            if not optional and (isinstance(value, bool) or not isinstance(value, expected)):
                raise InputError(f"{source}: expected {key} to be {kind}, got {_short(value)}")
        config = cls(**values)
        if config.arch != "mobilenet":
            raise InputError(f"{source}: expected arch 'mobilenet', got {_short(config.arch)}")
        if config.num_params not in LAYOUTS:
            raise InputError(
                f"{source}: expected num_params out of {sorted(LAYOUTS)}, "
                f"got {_short(config.num_params)}"
            )
        if not 0 < config.widen_factor <= 4 or not 32 <= config.size <= 1024:
            raise InputError(
                f"{source}: expected widen_factor in (0, 4] and size in 32..1024, "
                f"got {_short(config.widen_factor)} and {_short(config.size)}"
            )
        return config

    def find(self, key: str) -> Path:
        """Return the existing file that the key names.

        Raises
        ------
        InputError
            If the key is not set or there is no such file.
        """
        value = getattr(self, key)
        if value is None:
            raise InputError(f"configuration: {key} is not set")
        try:
            return find_asset(value, self.assets, self.folder)
        except InputError as error:
            raise InputError(f"{key}: {error}") from error

    def find_if_set(self, key: str) -> Path | None:
        """Return the file that the key names, None if the key is not set."""
        return None if getattr(self, key) is None else self.find(key)

    def model_tables(self) -> ModelTables:
        """Return the tables that complete a face model in the reference's format."""
        return ModelTables(
            tri=self.find_if_set("tri_fp"),
            uv=self.find_if_set("uv_fp"),
            uv_indices=self.find_if_set("uv_indices_fp"),
            ncc=self.find_if_set("ncc_fp"),
        )


def find_config(path: str | Path, assets: str | Path | None = None) -> Path:
    """Return the configuration file that a path stands for, in the project if not as given.

    Raises
    ------
    InputError
        If there is no such file.
    """
    given = Path(path)
    return given if is_file(given) else find_asset(path, assets)


def load_config(path: str | Path, assets: str | Path | None = None) -> Config:
    """Read a YAML configuration.

    Parameters
    ----------
    path : str or Path
        File; a relative path is also looked up in the project.
    assets : str or Path, optional
        Asset folder, in place of ``TDDFA_ASSETS``.

    Raises
    ------
    InputError
        If the file cannot be read, is no YAML mapping, or has an unknown key.
    """
    found = find_config(path, assets)
    try:
        with found.open(encoding="utf-8") as file:
            text = file.read(_LONGEST + 1)
        if len(text) > _LONGEST:
            raise ValueError(f"got more than {_LONGEST} characters")
        values = yaml.safe_load(text)
    except RecursionError as error:
        raise InputError(f"'{path}': expected a YAML configuration, it is nested") from error
    except (OSError, ValueError, yaml.YAMLError) as error:  # numbers and dates: ValueError
        reason = str(error).splitlines()[0]
        raise InputError(f"'{path}': expected a YAML configuration, {reason}") from error
    if not isinstance(values, dict):
        raise InputError(f"'{path}': expected a YAML mapping of keys to values")
    if assets is not None:
        values["assets"] = str(assets)
    values["folder"] = found.resolve().parent
    return Config.from_mapping(values, f"'{path}'")


def _short(value: Any) -> str:
    """Return a value as it is written, shortened to what fits a message."""
    try:
        return reprlib.repr(value)
    except ValueError:  # a number of more digits than Python prints
        return f"a number of {value.bit_length()} bits"
