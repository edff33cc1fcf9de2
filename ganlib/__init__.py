"""Generative image models behind one small interface: train, sample, evaluate, compare."""
