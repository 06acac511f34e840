"""Fit CCA and PCA to the corpus, and make the signals that modules are pre-trained on; no network is here."""
