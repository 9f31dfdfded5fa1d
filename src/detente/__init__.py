"""detente: the deconfliction channel for parties who share a sky and do not trust each other."""

__version__ = "0.5.0"
