"""Metrics of runs, as records that carry their protocol.

evaluate         a run -> records: what ``python -m ganlib evaluate`` measures
measures         FID, KID, inception score, precision, recall, density, coverage, class agreement: of features
path_length      perceptual path length
cas              classification accuracy score
accuracy         of classifiers, and of categorical codes (``code_accuracy``)
straightness     of a flow's paths
likelihood       bits per dimension, of models that have a likelihood
probe            a linear probe of D
speed            images a second
extractors       what turns images into features; ``references`` has those of real images
published        what papers report; without torch
"""
