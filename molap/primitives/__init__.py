"""Fit CCA and PCA to the corpus, and build the signals on which modules are pre-trained."""
