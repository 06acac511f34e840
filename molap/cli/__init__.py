"""Offer every command of the package as one, `molap`; the commands themselves lie with what they run."""
