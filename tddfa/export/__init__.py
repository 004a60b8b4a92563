"""Meshes as files: PLY and OBJ."""
