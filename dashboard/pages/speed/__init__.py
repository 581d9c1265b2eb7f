"""The page of speed: what generating images costs."""
