"""Warnings: what composes and yet is hardly meant. `run.lint` is the way in, one module for each kind of warning."""
