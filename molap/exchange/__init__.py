"""Recurrent networks from and for other software: PyTorch, PsychRNN, CURBD, MATLAB. Nothing pickled is executed."""
