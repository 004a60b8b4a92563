"""The one exception that stands for bad input."""


class InputError(ValueError):
    """Input from a user that cannot be processed.

    The message is a single line that names the file or parameter and says what was expected; the
    command-line programs print it as ``error: …`` and exit with code 2.
    """
