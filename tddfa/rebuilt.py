"""Pickling and copying of objects around a handle that cannot be copied: the copy is built anew."""

from collections.abc import Callable
from functools import partial
from typing import Any


class RebuiltFromArguments:
    """What `pickle` and `copy` make anew from the arguments it was made with.

    An ONNX Runtime session can be neither pickled nor copied; a process that was spawned, or a
    deep copy, opens the same files again. Subclasses set `arguments` in their constructor.

    Attributes
    ----------
    arguments : dict
        Keyword arguments of the constructor.
    """

    arguments: dict[str, Any]

    def __reduce__(self) -> tuple[Callable[[], Any], tuple[()]]:
        """Return how to make it anew."""
        return partial(type(self), **self.arguments), ()
