"""What is done to a crop before the network sees it."""
