"""Bring together what several machines computed, and print the numbers in the findings."""
