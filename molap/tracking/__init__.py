"""Bring records into MLflow, and ask it; nothing else in the package needs MLflow."""
