"""The reference's names of the detector's network."""
