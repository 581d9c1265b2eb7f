"""The page of failures: models broken on purpose, and what notices."""
