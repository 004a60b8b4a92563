"""The command lines: parse, call, print.

``tddfa image``, ``tddfa video`` and the others are listed in one table, `COMMANDS`. Each names a
module with a function ``main(argv, prog) -> int``; it is imported when it is called. To add one,
write the module and its line in the table.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """One of ``tddfa``'s commands.

    Attributes
    ----------
    name : str
        What the user types after ``tddfa``.
    module : str
        Module with ``main(argv: Sequence[str], prog: str) -> int``, which returns the exit code.
    summary : str
        Its line in ``tddfa --help``.
    """

    name: str
    module: str
    summary: str


COMMANDS = (
    Command("image", "tddfa.commands.image", "align every face in pictures"),
    Command("video", "tddfa.commands.video", "align every face in a video, tracked and smoothed"),
    Command("webcam", "tddfa.commands.webcam", "align faces live, from a camera or a stream"),
    Command("label", "tddfa.commands.label", "label data sets: pictures and videos to Parquet"),
    Command("web", "tddfa.commands.web", "a page to try pictures and clips on, in a browser"),
)
