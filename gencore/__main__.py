"""`python -m gencore`: the command line."""

import sys

if __name__ == "__main__":
    try:
        from gencore.cli import main

        main()
    except KeyboardInterrupt:  # while the modules were still being imported
        sys.exit(130)
