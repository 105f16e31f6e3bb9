"""Group actions on axes, and every linear map that commutes with them.

`actions.py` says what acts and on which axes, as exact data; `partitions.py` and `ranks.py` count maps without numpy,
so that a check knows the shapes of weights. `bases.py` and what it imports make the maps, in double precision; only
what compiles or interprets a network loads them.
"""
