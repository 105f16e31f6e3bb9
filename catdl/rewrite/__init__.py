"""Rewrites: a Diagram into one that means the same and runs faster, each by a law.

Takes a verified Diagram. Guarantees: the same inputs, outputs, parameters and keys; what was done is told, with where
it was done and the law that allows it. One file for each rewrite; `run.py` says in which order they are tried.

    rewritten(encoder)      the diagram, [Applied("fused LSTM", …)]
"""
