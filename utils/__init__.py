"""The names that users of the reference import; the implementation is in `tddfa`."""
