"""Find the files that a configuration names: weights, face models, tables.

A path in a configuration or argument is looked up as follows, first hit wins::

    /abs/olute/file          itself
    assets:weights/x.pth     the asset folder only (argument ``assets``, else TDDFA_ASSETS)
    weights/x.pth            the configuration's folder, the project, the asset folder, the
                             working directory; for a configuration of another repository its
                             folder, that repository, the asset folder, the working directory,
                             the project

The prefix keeps a configuration for foreign files from ever picking up a file of ours that
happens to have the same name.
"""

import os
from pathlib import Path

from tddfa.errors import InputError

ASSETS_VARIABLE = "TDDFA_ASSETS"
ASSETS_PREFIX = "assets:"
DEFAULT_CONFIG = "configs/mb1_120x120.yml"
# Configurations that ship, by the names that ``--weights`` takes.
NAMED_CONFIGS = {
    "default": DEFAULT_CONFIG,
    "small": "configs/mb05_120x120.yml",
    "free": "configs/free_mb1.yml",
    "free-small": "configs/free_mb05.yml",
}
# No system has longer paths.
_LONGEST_NAME = 4096


def project_root() -> Path:
    """Return the folder that holds ``configs/`` and ``weights/``.

    The installed package has them as data of its own; in a checkout they lie beside it.
    """
    package = Path(__file__).resolve().parent
    return package if (package / "configs").is_dir() else package.parent


def is_file(path: Path) -> bool:
    """Tell whether there is such a file; no name is an error, however long or odd."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def asset_folder(assets: str | Path | None = None) -> Path | None:
    """Return the asset folder: the argument, else the environment's ``TDDFA_ASSETS``, else None.

    Raises
    ------
    InputError
        If the folder that is named does not exist.
    """
    name = assets if assets is not None else os.environ.get(ASSETS_VARIABLE)
    if not name:
        return None
    folder = Path(name).expanduser()
    if not folder.is_dir():
        source = "argument 'assets'" if assets is not None else ASSETS_VARIABLE
        raise InputError(f"{source}: expected an existing folder, got '{folder}'")
    return folder


def find_asset(
    path: str | Path,
    assets: str | Path | None = None,
    beside: Path | None = None,
    *,
    foreign: bool = False,
) -> Path:
    """Return the existing file that `path` stands for.

    Parameters
    ----------
    path : str or Path
        Absolute path, path relative to one of the roots, or ``assets:`` and a relative path.
    assets : str or Path, optional
        Asset folder; by default the one that ``TDDFA_ASSETS`` names.
    beside : Path, optional
        Folder to look in first, that of the configuration file.
    foreign : bool
        The configuration is another repository's: our files come last, and where it lies in a
        folder ``configs``, the folder around that comes second.

    Raises
    ------
    InputError
        If there is no such file; the message names the path and where it was looked for.
    """
    name = str(path)
    if len(name) > _LONGEST_NAME:
        raise InputError(f"no file '{name[:60]}…', a name of {len(name)} characters")
    if name.startswith(ASSETS_PREFIX):
        name = name.removeprefix(ASSETS_PREFIX)
        folder = asset_folder(assets)
        if folder is None:
            raise InputError(
                f"'{name}' belongs to an asset folder: set {ASSETS_VARIABLE} or pass --assets"
            )
        roots = [folder]
    elif Path(name).expanduser().is_absolute():
        roots = [Path()]
        name = str(Path(name).expanduser())
    else:
        folder = asset_folder(assets)
        ours, others = [project_root()], [folder, Path.cwd()]
        if foreign:
            repository = beside.parent if beside is not None and beside.name == "configs" else None
            candidates = [beside, repository, *others, *ours]
        else:
            candidates = [beside, *ours, *others]
        roots = list(dict.fromkeys(root for root in candidates if root is not None))
    for root in roots:
        if is_file(root / name):
            return root / name
    searched = ", ".join(f"'{root}'" for root in roots if root != Path())
    where = f" in {searched}" if searched else ""
    hint = "" if asset_folder(assets) else f" ({ASSETS_VARIABLE} is not set)"
    raise InputError(f"no file '{name}'{where}{hint}")
