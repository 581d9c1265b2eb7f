"""Several families trained, measured and compared on one data set, under one budget each."""
