"""What pyproject.toml cannot say: kernels, where the data lies, and which OpenCV is required."""

import os
import re
import site
import sys
import sysconfig
from importlib.metadata import distributions
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, find_packages, setup
from setuptools.command.build import build
from setuptools.command.build_ext import build_ext

INSTALLED = ("FaceBoxes", "Sim3DR", "tddfa")
CHECKOUT_ONLY = ("training",)
# Folders of data that lie at the checkout's top and within the package once it is installed.
DATA = {"tddfa.configs": "configs", "tddfa.weights": "weights"}

# One binary for Python 3.11 and every later version: there memoryviews are part of the stable ABI.
# Python without its lock has no stable ABI yet.
LIMITED_API = not sysconfig.get_config_var("Py_GIL_DISABLED")
MACROS = [("Py_LIMITED_API", "0x030B0000")] if LIMITED_API else []
COMPILE_ARGS = ["/O2"] if sys.platform == "win32" else ["-O3", "-g0"]
DIRECTIVES = {
    "language_level": 3,
    "boundscheck": False,
    "wraparound": False,
    "cdivision": True,
    "initializedcheck": False,
}


def kernels(packages: tuple[str, ...]) -> list[Extension]:
    """Return one extension per private ``_name.pyx``, so that a new kernel needs no edit here."""
    sources = sorted(path for package in packages for path in Path(package).rglob("_*.pyx"))
    return [
        Extension(
            ".".join(path.with_suffix("").parts),
            [path.as_posix()],
            define_macros=MACROS,
            py_limited_api=LIMITED_API,
            depends=sorted(header.as_posix() for header in path.parent.glob("_*.h")),
            extra_compile_args=COMPILE_ARGS,
        )
        for path in sources
    ]


class Build(build):
    """Build in a folder where earlier builds may have left modules that are gone by now."""

    def run(self) -> None:
        """Keep nothing but kernels of ours, which are not compiled again."""
        ours = {extension.name for extension in kernels(INSTALLED)}
        folder = Path(self.build_lib)
        for path in (path for path in folder.rglob("*") if path.is_file()):
            name = ".".join(path.relative_to(folder).parts).split(".")
            if ".".join(name[: -len(path.suffixes)]) not in ours:
                path.unlink()
        super().run()


class BuildKernels(build_ext):
    """Translate when kernels are compiled, and not before: metadata and sdist have no need of C."""

    def finalize_options(self) -> None:
        """Leave the training's kernels to checkouts: they are not installed."""
        self.parallel = os.cpu_count()
        in_place = self.inplace or self.editable_mode
        wanted = kernels(INSTALLED + CHECKOUT_ONLY if in_place else INSTALLED)
        self.distribution.ext_modules = cythonize(wanted, compiler_directives=DIRECTIVES)
        super().finalize_options()

    def copy_extensions_to_source(self) -> None:
        """Remove kernels of another kind, which Python would load in place of the new ones."""
        super().copy_extensions_to_source()
        for extension in self.extensions:
            built = Path(self.get_ext_filename(extension.name))
            for suffix in (".so", ".pyd"):
                for other in built.parent.glob(f"{extension.name.rpartition('.')[2]}.*{suffix}"):
                    if other != built:
                        other.unlink()


def run_requirements() -> list[str]:
    """Return what an installed package needs."""
    lines = Path("requirements/run.txt").read_text(encoding="utf-8").splitlines()
    needed = [line for line in lines if line and not line.startswith("#")]
    return [line.replace("opencv-python-headless", opencv()) for line in needed]


def opencv() -> str:
    """Return the OpenCV package to require: what is installed, else what runs on any machine.

    Four packages hold the module cv2. Any of them will do, but a requirement cannot say "one of
    these", and installing a second one overwrites the first, so that windows or codecs are gone.
    Builds are isolated from the packages of the environment they are for; its folders are not.
    """
    folders = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *sys.path}
    if site.ENABLE_USER_SITE:
        folders.add(site.getusersitepackages())
    names = (found.metadata["Name"] for found in distributions(path=sorted(folders)))
    installed = {re.sub(r"[-_.]+", "-", name).lower() for name in names if name}
    variants = ("opencv-contrib-python", "opencv-python", "opencv-contrib-python-headless")
    return next((name for name in variants if name in installed), "opencv-python-headless")


setup(
    install_requires=run_requirements(),
    packages=[*find_packages(include=[f"{name}*" for name in INSTALLED]), *DATA],
    package_dir=DATA,
    ext_modules=kernels(INSTALLED),
    cmdclass={"build": Build, "build_ext": BuildKernels},
    options={"bdist_wheel": {"py_limited_api": "cp311"} if LIMITED_API else {}},
)
