"""Train and calibrate the face check, the small network behind the detector."""
