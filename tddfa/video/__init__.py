"""Videos and cameras: read, draw on, write, with sound and records."""
