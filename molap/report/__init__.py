"""Make the report's pages, captions and tables of settings and provenance; no table of results is made here."""
