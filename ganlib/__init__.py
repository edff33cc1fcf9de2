"""Generative image models behind one small interface: train, sample, evaluate, compare."""

__version__ = "0.1.0"
