"""Train and measure FaceBoxes."""
