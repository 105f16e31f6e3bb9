"""The typing rules of the core operations, one file for each family."""
