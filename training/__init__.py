"""Tools that make what the package ships: the face model, labels, weights."""
