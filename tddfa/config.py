"""Configurations: which weights go with which face model."""

import json
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from tddfa.assets import ASSETS_PREFIX, NAMED_CONFIGS, find_asset, is_file, project_root
from tddfa.errors import InputError
from tddfa.model_files import ModelTables
from tddfa.params import LAYOUTS
from tddfa.plugins import part_names
from tddfa.remembered import Entry

# Characters of a configuration; ours have less than a thousand.
_LONGEST = 1 << 18


@dataclass(frozen=True)
class Config:
    """Contents of a configuration file; the first six keys are the reference's.

    Without arguments it names what ships.

    Attributes
    ----------
    arch : str
        Network: a module of `tddfa.backbones`, ``mobilenet`` or ``resnet``.
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
        Mean and std of the parameters, ``.npz`` or ``.pkl``. A mapping that names a face model in
        the reference's format and no scale means the reference's.
    onnx_fp : str, optional
        The regressor as ONNX; by default beside the checkpoint.
    tri_fp, uv_fp, uv_indices_fp, ncc_fp : str, optional
        Tables of a face model in the reference's format; by default those beside it that have the
        reference's names.
    detector : str
        Face detector: a module of `tddfa.detectors`, ``faceboxes`` or ``yunet``.
    detector_fp, detector_onnx_fp : str, optional
        Weights of the detector, ``.pth`` and ``.onnx``; by default those of the configuration's
        repository, else ours.
    face_check_fp, face_check_onnx_fp : str, optional
        Weights of the face check behind the detector, ``.pth`` and ``.onnx``; without them the
        detector's word counts alone, and faces are aligned as they lie, however rolled.
    tracking_detector_fp : str, optional
        Weights of the detector for videos and cameras, without a face check; by default both do
        the same as for pictures.
    blendshapes_fp : str, optional
        Weights of the head for ARKit's 52 blendshapes, ``.pth`` with an ``.onnx`` beside it;
        without it coefficients are fitted to the mesh's own expression.
    assets : str, optional
        Asset folder; by default the one named by ``TDDFA_ASSETS``.
    folder : Path, optional
        Where the configuration lies; relative paths are looked up there first.
    """

    arch: str = "mobilenet"
    widen_factor: float = 1.0
    checkpoint_fp: str = "weights/mb1_120x120.pth"
    bfm_fp: str = "configs/face_model.npz"
    size: int = 120
    num_params: int = 62
    param_mean_std_fp: str = "configs/param_mean_std_62d.npz"
    onnx_fp: str | None = None
    tri_fp: str | None = None
    uv_fp: str | None = None
    uv_indices_fp: str | None = None
    ncc_fp: str | None = None
    detector: str = "faceboxes"
    detector_fp: str | None = None
    detector_onnx_fp: str | None = None
    face_check_fp: str | None = None
    face_check_onnx_fp: str | None = None
    tracking_detector_fp: str | None = None
    blendshapes_fp: str | None = None
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
        for key, package in (("arch", "tddfa.backbones"), ("detector", "tddfa.detectors")):
            names, name = part_names(package), getattr(config, key)
            if name not in names:
                raise InputError(
                    f"{source}: expected {key} to be one of {', '.join(names)}, got {_short(name)}"
                )
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
        if "param_mean_std_fp" not in values and config.has_reference_model:
            return replace(config, param_mean_std_fp=reference_scale(config))
        return config

    @property
    def has_reference_model(self) -> bool:
        """Whether the face model is in the reference's format."""
        return Path(self.bfm_fp).suffix == ".pkl"

    @property
    def foreign(self) -> bool:
        """Whether it is another repository's: then our files of the same names come last.

        It is ours if it lies where ours lie or if, named by hand or copied elsewhere, it asks for a
        face model that is only here.
        """
        root = project_root()
        if self.folder in (root, root / "configs"):
            return False
        ours = root / self.bfm_fp
        if Path(self.bfm_fp).expanduser().is_absolute() or not ours.is_file():
            return True
        if self.folder is None:
            return False
        return find_asset(self.bfm_fp, self.assets, self.folder, foreign=True) != ours

    def with_values(self, **values: Any) -> "Config":
        """Return the configuration with some values changed, checked as `from_mapping` does."""
        return self.from_mapping({**vars(self), **values})

    def for_tracking(self) -> "Config":
        """Return the configuration whose detector is that of videos, see `tracking_detector_fp`."""
        if self.tracking_detector_fp is None:
            return self
        return self.with_values(
            detector_fp=self.tracking_detector_fp,
            detector_onnx_fp=None,
            face_check_fp=None,
            face_check_onnx_fp=None,
            tracking_detector_fp=None,
        )

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
            return find_asset(value, self.assets, self.folder, foreign=self.foreign)
        except InputError as error:
            raise InputError(f"{key}: {error}") from error

    def find_if_set(self, key: str) -> Path | None:
        """Return the file that the key names, None if the key is not set."""
        return None if getattr(self, key) is None else self.find(key)

    def model_tables(self) -> ModelTables:
        """Return the tables that complete a face model in the reference's format."""

        def find(key: str, usual: str) -> Path | None:
            if getattr(self, key) is not None or not self.has_reference_model:
                return self.find_if_set(key)
            beside = self.find("bfm_fp").with_name(usual)
            return beside if beside.is_file() else None

        return ModelTables(
            tri=find("tri_fp", "tri.pkl"),
            uv=find("uv_fp", "BFM_UV.mat"),
            uv_indices=find("uv_indices_fp", "indices.npy"),
            ncc=find("ncc_fp", "ncc_code.npy"),
        )


def reference_scale(config: Config) -> str:
    """Return where the reference keeps the scale that goes with its face model."""
    prefix = ASSETS_PREFIX if str(config.bfm_fp).startswith(ASSETS_PREFIX) else ""
    size = f"{config.size}x{config.size}"
    return f"{prefix}configs/param_mean_std_{config.num_params}d_{size}.pkl"


def find_config(path: str | Path, assets: str | Path | None = None) -> Path:
    """Return the configuration file that a path stands for, in the project if not as given.

    A name of `tddfa.assets.NAMED_CONFIGS`, such as ``small``, stands for the one that ships.

    Raises
    ------
    InputError
        If there is no such file.
    """
    given = Path(path)
    if is_file(given):
        return given
    named = NAMED_CONFIGS.get(str(path))
    if named is not None:
        return project_root() / named
    if isinstance(path, str) and path.isascii() and path.replace("-", "").isalpha():
        names = ", ".join(NAMED_CONFIGS)  # a name, by the looks of it
        try:
            return find_asset(path, assets)
        except InputError as error:
            raise InputError(f"{error}; names are {names}") from None
    return find_asset(path, assets)


def load_config(path: str | Path, assets: str | Path | None = None) -> Config:
    """Read a YAML configuration.

    Parameters
    ----------
    path : str or Path
        File; a relative path is also looked up in the project. Or ``default``, ``small``,
        ``free`` or ``free-small``, see `tddfa.assets.NAMED_CONFIGS`.
    assets : str or Path, optional
        Asset folder, in place of ``TDDFA_ASSETS``.

    Raises
    ------
    InputError
        If the file cannot be read, is no YAML mapping, or has an unknown key.
    """
    found = find_config(path, assets)
    entry = Entry.of(found, "configuration")  # YAML's parser is slow to import
    known = entry.read()
    values = _parse(path, found) if known is None else json.loads(known)
    written = dict(values)
    if assets is not None:
        values["assets"] = str(assets)
    values["folder"] = found.resolve().parent
    config = Config.from_mapping(values, f"'{path}'")
    if known is None:
        entry.write(json.dumps(written))
    return config


def _parse(path: str | Path, found: Path) -> dict[str, Any]:
    """Return the contents of a configuration, not checked yet."""
    import yaml

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
    return values


def _short(value: Any) -> str:
    """Return a value as it is written, shortened to what fits a message."""
    try:
        return reprlib.repr(value)
    except ValueError:  # a number of more digits than Python prints
        return f"a number of {value.bit_length()} bits"
