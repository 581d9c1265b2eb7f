"""What is measured of a checkpoint: plans, rows, costs, bounds and models broken on purpose."""
