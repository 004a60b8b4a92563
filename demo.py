"""Align every face in pictures: landmarks, meshes, pose, depth, PNCC, texture."""

from tddfa.cli import run_main
from tddfa.commands.image import main

if __name__ == "__main__":
    raise SystemExit(run_main(main))
