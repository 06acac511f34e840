"""Hold files: how they are written whole, the records beside them, where each lies; nothing here computes."""
