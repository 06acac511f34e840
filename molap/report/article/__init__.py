"""Typeset the replication as an article: data from tables, configuration and records; text and layout in `text/`.

Python works out every number and list that the text names. The text, `text/article.typ`, has no number of its own.
"""
