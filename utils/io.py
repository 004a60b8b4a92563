"""Reading and writing pictures."""

from tddfa.io.pictures import imread, imwrite

__all__ = ["imread", "imwrite"]
