"""Open the dashboard: python app.py."""

from dashboard.__main__ import main

if __name__ == "__main__":
    main()
