"""The typed open hypergraph between the checker and everything after it."""
