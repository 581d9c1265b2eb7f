"""The page Blind vote."""
