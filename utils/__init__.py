"""Outputs of the toolkit: overlays, depth, PNCC, UV texture, pose box, PLY and OBJ files."""
