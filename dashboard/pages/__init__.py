"""The pages of the dashboard, one file a page: `TITLE`, `SLUG` and `build(service)`."""
