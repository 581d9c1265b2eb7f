"""Widgets that pages share, and how a run goes on every page."""
