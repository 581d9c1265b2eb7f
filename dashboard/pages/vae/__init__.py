"""The page of vae: posterior, bound, noise and prior."""
