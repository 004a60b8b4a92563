"""The regressor's training: network, losses, steps, the state of a run."""
