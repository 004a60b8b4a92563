"""The face check: a tiny network that looks at a crop and says whether and how a face is there."""
