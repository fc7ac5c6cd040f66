"""``python -m novelink``: the same as the command ``novelink``."""

from novelink.cli import main

if __name__ == "__main__":
    main()
