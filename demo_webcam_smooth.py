"""Align faces live: `demo_webcam.py` under the reference's name."""

from tddfa.cli import run_main
from tddfa.commands.webcam import main

if __name__ == "__main__":
    raise SystemExit(run_main(main))
