"""The regressor's second head: features of labelled faces, training, figures."""
