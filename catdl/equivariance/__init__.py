"""Which symmetries a Diagram keeps, and the box at which each is lost.

`states.py` says what a group does to an axis on the way; `pointwise.py`, `joined.py`, `along.py` and `natives.py` what
becomes of it in each operation; `walk.py` goes through Diagrams; `kept.py` asks for the symmetries of a morphism.
"""
