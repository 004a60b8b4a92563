"""Align every face in pictures: landmarks, meshes, pose, depth, PNCC, texture."""

from tddfa.cli import run_main


def main() -> int:
    """Import what it takes, and run it."""
    from tddfa.commands.image import main as align

    return align()


if __name__ == "__main__":
    raise SystemExit(run_main(main))
