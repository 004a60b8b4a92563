"""Align faces live, from a camera or anything that can stand in for one."""

from tddfa.cli import run_main
from tddfa.commands.webcam import main

if __name__ == "__main__":
    raise SystemExit(run_main(main))
