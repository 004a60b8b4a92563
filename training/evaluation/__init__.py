"""Measure landmarks: NME, openings, jitter, and the sets they are measured on."""
