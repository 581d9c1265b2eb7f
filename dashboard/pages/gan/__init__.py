"""The page of gan: the adversarial game."""
