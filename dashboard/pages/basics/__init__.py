"""The page of basics: distributions, likelihood, divergences and the bound, on numbers that are known exactly."""
