"""Causality: which steps of a time dim each step of a wire depends on, and the box at which it comes to read ahead.

`states.py` says what is known of a wire; `core.py` and `along.py` what becomes of it in each operation, `masks.py` what
masks let through; `walk.py` goes through Diagrams; `kept.py` asks for the causality of a morphism.
"""
