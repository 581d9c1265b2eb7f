"""Races against what others use for the same: `make race`."""
