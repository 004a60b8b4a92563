"""Build of the open face model (see docs/face_model.md)."""
