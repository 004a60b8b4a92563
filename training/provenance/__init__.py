"""Where pictures, labels and first weights come from, and whether anyone may use what they make.

Each data set, folder of labels and run has a ``manifest.csv`` with a line for everything that went
into it; ``--free`` of the training commands refuses what has none, or a licence that binds.
"""
