"""``python -m tddfa`` is the command ``tddfa``."""

from tddfa.commands.main import main

if __name__ == "__main__":
    raise SystemExit(main())
