"""The one door to gencore."""
