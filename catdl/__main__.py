"""`python -m catdl` is the command `catdl`."""

from catdl.cli import main

main()
