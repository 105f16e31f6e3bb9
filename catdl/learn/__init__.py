"""Learners at run time: data into tensors, steps, measures, checkpoints.

Takes a `Learner` that the checker made. Nothing here is imported by a check, and nothing of it is needed to run a
network that has been trained: its weights are a safetensors file with the keys of the spec.
"""
