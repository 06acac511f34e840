"""Make the report's pages and captions, and its tables of settings and provenance."""
