"""Change single fields of nested settings from the command line."""

import contextlib
import dataclasses
from collections.abc import Sequence
from typing import Any, TypeVar

import yaml

from tddfa.errors import InputError

Settings = TypeVar("Settings")


def with_changes(settings: Settings, changes: Sequence[str]) -> Settings:
    """Return the settings with ``path=value`` changes, such as ``views.roll=10``.

    Raises
    ------
    InputError
        If there is no such field or the value is of another kind.

    Examples
    --------
    >>> from training.augmentation.augment import AugmentSettings
    >>> with_changes(AugmentSettings(), ["views.roll=10"]).views.roll
    10.0
    >>> with_changes(AugmentSettings(), ["views.shift=1e-3"]).views.shift
    0.001
    """
    for change in changes:
        path, separator, text = change.partition("=")
        if not separator:
            raise InputError(f"--set: expected path=value, got {change!r}")
        settings = _changed(settings, path.split("."), _value(text), path)
    return settings


def _value(text: str) -> Any:
    value = yaml.safe_load(text)
    if isinstance(value, str):  # YAML 1.1 takes 1e-3 for text, since it has no dot
        with contextlib.suppress(ValueError):
            return float(value)
    return value


def _changed(settings: Any, path: list[str], value: Any, whole: str) -> Any:
    names = [field.name for field in dataclasses.fields(settings)]
    if path[0] not in names:
        raise InputError(f"--set {whole}: expected one of {', '.join(names)}, got '{path[0]}'")
    old = getattr(settings, path[0])
    if dataclasses.is_dataclass(old) != (len(path) > 1):
        raise InputError(f"--set {whole}: expected a single setting")
    if len(path) > 1:
        value = _changed(old, path[1:], value, whole)
    elif isinstance(old, tuple) and isinstance(value, list) and len(value) == len(old):
        value = tuple(float(part) for part in value)
    elif isinstance(old, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    elif type(value) is not type(old):
        raise InputError(f"--set {whole}: expected a value like {old!r}, got {value!r}")
    return dataclasses.replace(settings, **{path[0]: value})
