#!/usr/bin/env bash
# Set everything up: a virtual environment, pinned packages, compiled kernels. Run it again at no cost.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

usage() {
    cat <<'TEXT'
usage: ./build.sh [--python PYTHON] [--torch-index URL] [--force]

Creates .venv if no virtual environment is active, installs the packages of requirements.txt and
compiles the Cython kernels in place. A second run does nothing unless a source has changed.

  --python PYTHON    interpreter for a new .venv (default: python3, on Windows python; 3.11 or newer)
  --torch-index URL  package index with PyTorch's CPU builds, which on Linux spares gigabytes of
                     CUDA libraries (pytorch.org, "Get started", names it)
  --force            install and compile even if nothing has changed

On Windows it runs in the bash that comes with Git; the programs are in .venv/Scripts there.
TEXT
}

case ${OSTYPE:-} in
    msys* | cygwin*) python=python programs=Scripts ;;
    *) python=python3 programs=bin ;;
esac
index=() force=
while [ $# -gt 0 ]; do
    case $1 in
        --python) python=${2:?--python: expected an interpreter}; shift 2 ;;
        --torch-index) index=(--index-url "${2:?--torch-index: expected a URL}"); shift 2 ;;
        --force) force=1; shift ;;
        -h | --help) usage; exit 0 ;;
        *) echo "error: unknown argument '$1'" >&2; usage >&2; exit 2 ;;
    esac
done

if [ -z "${VIRTUAL_ENV:-}" ]; then
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        { echo "error: expected Python 3.11 or newer, got $("$python" --version 2>&1)" >&2; exit 2; }
    [ -x ".venv/$programs/python" ] || "$python" -m venv .venv
    VIRTUAL_ENV=$PWD/.venv
fi
python=$VIRTUAL_ENV/$programs/python
stamp=$VIRTUAL_ENV/.tddfa-build

# What the build depends on: packages, kernels, interpreter, and this folder.
state() {
    {
        "$python" --version
        pwd
        cat pyproject.toml setup.py requirements.txt requirements/run.txt build.sh
        find FaceBoxes Sim3DR tddfa training \( -name '_*.pyx' -o -name '_*.h' \) -exec cat {} +
    } |
        "$python" -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())'
}
built() { "$python" -c 'import Sim3DR, FaceBoxes.nms, tddfa.reconstruct, tddfa.export.text_format' 2>/dev/null; }

now=$(state)
if [ -z "$force" ] && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$now" ] && built; then
    exit 0
fi
pip() { "$python" -m pip install --quiet --disable-pip-version-check "$@"; }
pip ${index[@]+"${index[@]}"} torch==2.13.0
pip -r requirements.txt
pip --no-build-isolation --no-deps --editable .
built || { echo "error: the kernels were compiled but cannot be loaded" >&2; exit 1; }
echo "$now" >"$stamp"
