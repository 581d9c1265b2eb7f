"""The page of latent: paths, a map, traversals, and images encoded and decoded."""
