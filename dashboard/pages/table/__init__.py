"""The page of table: every row, and a report to take away."""
