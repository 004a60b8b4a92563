"""The reference's helpers of the detector; the project itself uses the modules of `FaceBoxes`."""
