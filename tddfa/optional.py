"""Packages that only some features need: missing ones are reported when they are used."""

from importlib.util import find_spec

from tddfa.errors import InputError


def require(feature: str, *modules: str) -> None:
    """Check that the modules a feature needs are installed.

    Parameters
    ----------
    feature : str
        What needs them, as the message shall name it.
    *modules : str
        Top-level modules; each has its package's name.

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
        raise InputError(
            f"{feature} needs {' and '.join(missing)}: pip install {' '.join(modules)}"
        )
