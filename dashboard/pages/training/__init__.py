"""The page of training: logs and time-lapses."""
