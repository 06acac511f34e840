"""Saved views of the experiment in MLflow's UI."""


def view_tags():
    return {}
