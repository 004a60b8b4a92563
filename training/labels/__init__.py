"""Labels: landmarks of several sources, and the face model fitted to them."""
