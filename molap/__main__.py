"""`python -m molap` is `molap`."""

from molap.cli.main import main

if __name__ == "__main__":
    main()
