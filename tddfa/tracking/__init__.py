"""Follow all faces of a video: detection, association, confirmation, smoothing."""
