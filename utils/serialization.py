"""Meshes as PLY and OBJ files."""

from tddfa.export.serialization import ser_to_obj, ser_to_ply

__all__ = ["ser_to_obj", "ser_to_ply"]
