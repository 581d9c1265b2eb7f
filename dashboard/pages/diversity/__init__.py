"""The page of diversity: samples by the hundred against real images."""
