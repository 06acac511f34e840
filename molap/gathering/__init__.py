"""Combine the results of several machines, and render the pages about the reference results."""
