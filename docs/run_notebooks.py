"""Run the notebooks from top to bottom and keep their outputs in them.

python -m docs.run_notebooks [demo.ipynb video_and_avatars.ipynb]
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ("demo.ipynb", "video_and_avatars.ipynb")


def main(argv: Sequence[str] | None = None) -> int:
    """Write each notebook with the outputs of a run, and nothing that differs between machines."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", default=NOTEBOOKS)
    args = parser.parse_args(argv)
    for name in args.names:
        notebook = nbformat.read(ROOT / name, as_version=4)
        with tempfile.TemporaryDirectory() as ipython:  # nobody's profile changes what comes out
            client = NotebookClient(
                notebook,
                timeout=600,
                record_timing=False,
                extra_arguments=[f"--ipython-dir={ipython}"],
                resources={"metadata": {"path": str(ROOT)}},
            )
            client.execute()
        notebook.metadata["language_info"] = {"name": "python"}
        nbformat.write(notebook, ROOT / name)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
