"""Packages that only some features need: missing ones are reported when they are used."""

from importlib.util import find_spec

from tddfa.errors import InputError

# Modules whose package has another name.
_PACKAGES = {"pythonosc": "python-osc", "ray": "'ray[data]'"}


def require(feature: str, *modules: str) -> None:
    """Check that the modules a feature needs are installed.

    Parameters
    ----------
    feature : str
        What needs them, as the message shall name it.
    *modules : str
        Top-level modules.

    Raises
    ------
    InputError
        If one is missing; the message has the command that installs them.

    Examples
    --------
    >>> require("arithmetic", "numpy")
    """
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        needed, all_of_them = (
            [_PACKAGES.get(name, name) for name in names] for names in (missing, modules)
        )
        raise InputError(
            f"{feature} needs {' and '.join(needed)}: pip install {' '.join(all_of_them)}"
        )
