"""Bring together what several machines computed, and print what the findings state; nothing is trained here."""
