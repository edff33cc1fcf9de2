"""Real versus synthetic: can anything tell two sets of images apart, where, and is one copied from the other?

sides, giveaways, groups   what is compared: read, brought to one size and encoding, dependent images found
separation                 AUC, average precision, intervals and power of a score on held-out images
network, strong            the classifiers            feature_tests   tests of components and of whole vectors
memorisation               copies of training images
compare                    all of it, section by section, into a ``Comparison``
"""
