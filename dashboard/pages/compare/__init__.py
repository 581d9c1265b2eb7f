"""The page of compare: the families side by side on the same seed."""
