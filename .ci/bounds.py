#!/usr/bin/env python3
"""Install the package with its oldest and its newest packages, and run the tests with them.

Every interpreter gets an environment per end of the range, in build/bounds. The oldest packages are
the lower bounds of requirements/run.txt and pyproject.toml, exactly; the newest are what pip takes
today. Without --torch PyTorch is absent, and what needs it is skipped.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEST_PACKAGES = ("hypothesis", "pytest", "pytest-xdist", "trimesh")
LEFT_OUT = shutil.ignore_patterns(
    *(".*_cache", ".git", ".hypothesis", ".venv", "__pycache__", "*.egg-info", "*.so", "*.pyd"),
    *("*.c", "build", "dist", "assets", "runs", "results", "wt"),
)
OLDEST, NEWEST = ENDS = ("oldest", "newest")


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--ends",
        nargs="+",
        choices=ENDS,
        help="default: both; with --quick the oldest for the first interpreter alone",
    )
    parser.add_argument(
        "--python",
        nargs="+",
        default=None,
        metavar="PYTHON",
        help="interpreters (default: each version from 3.11 up that is found)",
    )
    parser.add_argument("--torch", action="store_true", help="with PyTorch, as build.sh pins it")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="in place of all tests, build one wheel with the first environment, and look at it "
        "as it is installed in each",
    )
    parser.add_argument("arguments", nargs="*", metavar="-- ARGUMENT", help="for pytest")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Check every environment; return 1 if one failed."""
    args = parse_args(argv)
    failed: list[str] = []
    wheel: Path | None = None
    for number, python in enumerate(args.python or interpreters()):
        for end in args.ends or (ENDS if not args.quick or not number else (NEWEST,)):
            name = f"{version_of(python)}-{end}{'-torch' * args.torch}"
            say(f"== Python {name}")
            try:
                check = Environment(ROOT / "build" / "bounds" / name, python, end, args.torch)
                if args.quick:
                    wheel = wheel or check.build_wheel()
                    check.look_at(wheel)
                else:
                    check.run_tests(args.arguments)
            except subprocess.CalledProcessError as error:
                say(f"== Python {name}: FAILED ({error.cmd[0]} …, exit code {error.returncode})")
                failed.append(name)
    say(f"== failed: {', '.join(failed)}" if failed else "== all environments passed")
    return 1 if failed else 0


def say(text: str) -> None:
    """Print a line between those of other processes."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def version_of(python: str) -> str:
    """Return an interpreter's version, such as 3.11."""
    code = "import sys; print('{}.{}'.format(*sys.version_info))"
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout[
        :-1
    ]


def interpreters() -> list[str]:
    """Return one interpreter per version from 3.11 up, on the path or among pyenv's."""
    versions = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    found = []
    for minor in range(11, 16):
        own = sorted(str(path) for path in versions.glob(f"3.{minor}.*/bin/python3.{minor}"))
        for candidate in (f"python3.{minor}", *own):
            # A name on the path may be a version manager's that has no such version to hand out.
            if (
                shutil.which(candidate)
                and not subprocess.run(
                    [candidate, "-c", ""], capture_output=True, check=False
                ).returncode
            ):
                found.append(candidate)
                break
    return found


def requirements(end: str, torch: bool) -> list[str]:
    """Return what to install for one end of the range."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    text = (ROOT / "requirements" / "run.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and line[0] != "#"]
    lines += project["build-system"]["requires"]
    lines += [line for line in extras["dev"] if re.split("[>=]", line)[0] in TEST_PACKAGES]
    lines += extras["torch"] + extras["show"] if torch else []
    if end == OLDEST:
        lines = [line.replace(">=", "==", 1) for line in lines]
    pinned = re.search(r"torch==[\d.]+", (ROOT / "build.sh").read_text(encoding="utf-8"))
    assert pinned is not None
    return ["wheel", *(pinned[0] if line.startswith("torch") else line for line in lines)]


class Environment:
    """A virtual environment with one end of the packages' range, and a copy of the sources.

    Parameters
    ----------
    folder : Path
        Where both are; an environment that is there is used again.
    python : str
        Interpreter.
    end : {'oldest', 'newest'}
        Which end.
    torch : bool
        With PyTorch.
    """

    def __init__(self, folder: Path, python: str, end: str, torch: bool) -> None:
        environment = folder / "environment"
        self.source = folder / "source"
        self.folder = folder
        self.programs = environment / ("Scripts" if os.name == "nt" else "bin")
        if not environment.is_dir():
            subprocess.run([python, "-m", "venv", str(environment)], check=True)
        # Wheels alone: no package of these is meant to be compiled here.
        quiet = ("--quiet", "--disable-pip-version-check", "--only-binary", ":all:", "--upgrade")
        self.run("-m", "pip", "install", *quiet, *requirements(end, torch))
        shutil.rmtree(self.source, ignore_errors=True)
        shutil.copytree(ROOT, self.source, ignore=LEFT_OUT)
        shared = ROOT.parent / "shared"
        if shared.is_dir() and not (folder / "shared").exists():
            (folder / "shared").symlink_to(shared)

    def run(self, *arguments: str | Path, cwd: Path = ROOT) -> None:
        """Run the environment's interpreter."""
        variables = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        command = [str(self.programs / "python"), *map(str, arguments)]
        subprocess.run(command, check=True, cwd=cwd, env=variables)

    def build_wheel(self) -> Path:
        """Build a wheel with this environment's tools."""
        target = self.folder / "dist"
        shutil.rmtree(target, ignore_errors=True)
        isolation = ("--no-build-isolation", "--no-deps")
        self.run("-m", "pip", "wheel", "--quiet", *isolation, "-w", target, self.source)
        (wheel,) = target.glob("*.whl")
        return wheel

    def look_at(self, wheel: Path) -> None:
        """Install a wheel and look at it."""
        once_more = ("--force-reinstall", "--no-deps", "--disable-pip-version-check")
        self.run("-m", "pip", "install", "--quiet", *once_more, wheel)
        script = ROOT / "tests" / "package" / "installed_package.py"
        picture = ROOT / "examples" / "inputs" / "astronaut.png"
        self.run(script, picture, cwd=self.folder)

    def run_tests(self, arguments: Sequence[str]) -> None:
        """Build in place and run all tests but those that build packages."""
        self.run("setup.py", "-q", "build_ext", "--inplace", cwd=self.source)
        chosen = arguments or ("-n", "2", "-q", "--ignore", "tests/package")
        self.run("-m", "pytest", *chosen, cwd=self.source)


if __name__ == "__main__":
    raise SystemExit(main())
