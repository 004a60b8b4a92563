"""Compile the Cython kernels; everything else about the package is in pyproject.toml."""

import sys
from pathlib import Path

import numpy as np
from Cython.Build import cythonize
from setuptools import Extension, setup

PACKAGES = ("FaceBoxes", "Sim3DR", "tddfa", "training")
COMPILE_ARGS = ["/O2"] if sys.platform == "win32" else ["-O3"]


def extensions() -> list[Extension]:
    """Return one extension per private ``_name.pyx``, so that a new kernel needs no edit here."""
    sources = sorted(path for package in PACKAGES for path in Path(package).rglob("_*.pyx"))
    return [
        Extension(
            ".".join(path.with_suffix("").parts),
            [path.as_posix()],
            include_dirs=[np.get_include()],
            define_macros=[("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION")],
            depends=sorted(header.as_posix() for header in path.parent.glob("_*.h")),
            extra_compile_args=COMPILE_ARGS,
        )
        for path in sources
    ]


directives = {
    "language_level": 3,
    "boundscheck": False,
    "wraparound": False,
    "cdivision": True,
    "initializedcheck": False,
}
setup(ext_modules=cythonize(extensions(), compiler_directives=directives))
