"""What kind of processor this is, as far as networks care."""

import os
import platform
from pathlib import Path

# Lines of /proc/cpuinfo that tell one kind of processor from another.
_LINES = ("vendor_id", "cpu family", "model", "flags", "features", "cpu part")
# Of the first processor, in bytes: with many of them the whole file is slow to read.
_FIRST = 8192


def processor_kind() -> str:
    """Return what tells this kind of processor from others, its instructions among it."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as file:
            first = file.read(_FIRST).partition("\n\n")[0]
    except OSError:
        return f"{platform.machine()} {os.environ.get('PROCESSOR_IDENTIFIER', '')}"
    lines = (line.partition(":") for line in first.splitlines())
    return " ".join(value for key, _, value in lines if key.strip().lower() in _LINES)


def has_vnni() -> bool:
    """Tell whether the processor is known to sum products of 8-bit integers without overflow.

    x86 processors before VNNI add pairs of products in 16 bits.
    """
    flags = processor_kind().split()
    return "avx512_vnni" in flags or "avx_vnni" in flags
