"""Weights by key: those that a morphism holds, those of a file from elsewhere, and the map from these to those.

`held` lists the tensors of a morphism, `families` folds keys into patterns, `propose` finds a map, `keymap` reads and
writes it, `fit` holds it against both sides. Nothing here reads a file or loads torch.
"""
