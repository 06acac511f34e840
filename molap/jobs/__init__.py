"""Run a program as a job: command line, attempt, error line, digest of its source; no program's own work is here."""
