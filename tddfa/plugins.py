"""Parts that are exchanged by name: one module each in a package made for them.

A detector named ``yunet`` is the module ``tddfa.detectors.yunet``. A new part is a new file; there
is no list to add it to, and nothing is imported but what is asked for.
"""

import pkgutil
from importlib import import_module
from types import ModuleType
from typing import Any

from tddfa.errors import InputError


def part_names(package: str) -> list[str]:
    """Return the names of all parts in a package, sorted, without importing them.

    Examples
    --------
    >>> part_names("tddfa.backbones")
    ['mobilenet', 'resnet']
    """
    path = import_module(package).__path__
    return sorted(m.name for m in pkgutil.iter_modules(path) if not m.name.startswith("_"))


def load_part(package: str, name: str, key: str) -> Any:
    """Import a part by name.

    Parameters
    ----------
    package : str
        Such as ``tddfa.detectors``.
    name : str
        Of a module in it.
    key : str
        Parameter that gave the name, for the error message.

    Raises
    ------
    InputError
        If there is no such module. Only names of modules in the package are taken, so that a
        configuration cannot import anything else.
    """
    names = part_names(package)
    if name not in names:
        raise InputError(f"{key}: expected one of {', '.join(names)}, got '{name}'")
    module: ModuleType = import_module(f"{package}.{name}")
    return module
