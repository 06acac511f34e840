"""Combine the results of several machines, and print the numbers in the findings."""
