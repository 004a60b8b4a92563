"""Non-maximum suppression under the reference's names."""
