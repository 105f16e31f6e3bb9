"""Data that has the size it has: trees as tensors, made from what Python programs hold."""
