"""Run one of the package's modules in a process of its own: this very package, from any folder.

Python puts the current folder first where it looks for modules. In a checkout whose kernels were
never compiled, or beside a file that is named as a module is, that is another package than the one
that runs.
"""

import os
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path


def child_command(module: str, words: Sequence[str]) -> list[str]:
    """Return the command that runs a module by its name with arguments."""
    return [sys.executable, "-P", "-m", module, *words]


def child_environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which `child_command` finds the package that this module is of."""
    here = str(Path(__file__).resolve().parents[1])
    if here in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib")):
        # Installed: it is found so, and what lies beside it stays behind the standard library.
        return dict(inherited)
    others = inherited.get("PYTHONPATH")
    return {**inherited, "PYTHONPATH": os.pathsep.join([here, others] if others else [here])}
