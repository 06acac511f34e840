"""Typeset the replication as an article: data from tables, configuration and records; text and layout from `text/`.

Python computes every number and list in the article. The text itself, `text/article.typ`, contains no numbers.
"""
