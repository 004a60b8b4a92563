"""The data set as training reads it: packed crops, splits, batches."""
