"""The page of a visitor's own data: brought, looked at, trained on, compared."""
