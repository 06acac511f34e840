"""Run a program as a job: its command line, attempt, error message, and the digest of its source."""
