"""The page of diffusion: noise added and taken off."""
