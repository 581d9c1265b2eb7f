"""What was measured, worked out: rows become operating points, a recommendation and its explanation. Pure."""
