"""The page of trilemma: which model should we use?."""
