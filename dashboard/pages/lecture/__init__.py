"""The page of lecture: the way through the app for a class."""
