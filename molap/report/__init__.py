"""Make the report's pages, captions, and tables of settings and provenance."""
