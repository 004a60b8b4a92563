"""Draw faces: landmarks, meshes, depth, PNCC, texture, pose box."""
