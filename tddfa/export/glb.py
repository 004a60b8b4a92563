"""Binary glTF 2.0: buffers, accessors and the file around them.

Source: Khronos' glTF 2.0 specification. Meters, y up, facing +z; indices of 16 or 32 bits, floats
of 32 bits, everything little-endian.
"""

import json
import struct
from typing import Any

import numpy as np
import numpy.typing as npt

from tddfa.io.atomic import PathLike, atomic_write

_MAGIC, _JSON, _BINARY = 0x46546C67, 0x4E4F534A, 0x004E4942
_COMPONENTS = {"<u2": 5123, "<u4": 5125, "<f4": 5126}
_TYPES = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4"}
ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER = 34962, 34963


class GlbBuilder:
    """A glTF document under construction.

    Attributes
    ----------
    document : dict
        The JSON part; lists are appended to as things are added.
    """

    def __init__(self, generator: str) -> None:
        self.document: dict[str, Any] = {"asset": {"version": "2.0", "generator": generator}}
        self._chunks: list[bytes] = []
        self._size = 0

    def add(self, collection: str, item: dict[str, Any]) -> int:
        """Append an object to one of the document's lists and return its number."""
        items = self.document.setdefault(collection, [])
        items.append(item)
        return len(items) - 1

    def view(self, data: bytes, target: int | None = None) -> int:
        """Append bytes to the buffer, at a multiple of four."""
        item: dict[str, Any] = {"buffer": 0, "byteOffset": self._size, "byteLength": len(data)}
        if target is not None:
            item["target"] = target
        self._chunks.append(data + b"\0" * (-len(data) % 4))
        self._size += len(self._chunks[-1])
        return self.add("bufferViews", item)

    def accessor(
        self, values: npt.ArrayLike, target: int | None = None, *, bounds: bool = False
    ) -> int:
        """Append values (n,) or (n, 2 to 4): unsigned integers or floats."""
        array, kind = _little_endian(values)
        item = {
            "bufferView": self.view(array.tobytes(), target),
            "componentType": _COMPONENTS[kind],
            "count": len(array),
            "type": _TYPES[1 if array.ndim == 1 else array.shape[1]],
        }
        return self.add("accessors", item | (_bounds(array) if bounds else {}))

    def sparse(self, count: int, rows: npt.ArrayLike, values: npt.ArrayLike) -> int:
        """Append `count` vectors that are 0 but in some rows (r,), which rise; values (r, 3)."""
        index, index_kind = _little_endian(rows)
        array, kind = _little_endian(values)
        if not len(index):  # an accessor without data is all zeros
            none = {"min": [0.0] * 3, "max": [0.0] * 3}
            return self.add(
                "accessors", {"componentType": 5126, "count": count, "type": "VEC3"} | none
            )
        whole = np.vstack([array, np.zeros((int(len(index) < count), 3), "<f4")])
        item = {
            "componentType": _COMPONENTS[kind],
            "count": count,
            "type": "VEC3",
            "sparse": {
                "count": len(index),
                "indices": {
                    "bufferView": self.view(index.tobytes()),
                    "componentType": _COMPONENTS[index_kind],
                },
                "values": {"bufferView": self.view(array.tobytes())},
            },
        }
        return self.add("accessors", item | _bounds(whole))

    def write(self, path: PathLike) -> None:
        """Write the file, whole or not at all.

        Raises
        ------
        InputError
            If it cannot be written.
        """
        self.document["buffers"] = [{"byteLength": self._size}]
        text = json.dumps(self.document, separators=(",", ":"), allow_nan=False).encode()
        text += b" " * (-len(text) % 4)
        total = 12 + 8 + len(text) + 8 + self._size
        with atomic_write(path) as file:
            file.write(struct.pack("<III", _MAGIC, 2, total))
            file.write(struct.pack("<II", len(text), _JSON) + text)
            file.write(struct.pack("<II", self._size, _BINARY))
            file.writelines(self._chunks)


def _little_endian(values: npt.ArrayLike) -> tuple[npt.NDArray[Any], str]:
    array = np.asarray(values)
    if array.dtype.kind in "ui":
        kind = "<u2" if array.size == 0 or array.max() < 65535 else "<u4"
    else:
        kind = "<f4"
    return np.ascontiguousarray(array, kind), kind


def _bounds(array: npt.NDArray[Any]) -> dict[str, Any]:
    flat = array.reshape(len(array), -1)
    return {"min": flat.min(0).tolist(), "max": flat.max(0).tolist()}
