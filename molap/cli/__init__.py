"""Provide every command of the package through one command, `molap`; each is defined beside the code that it runs."""
