"""What can be said of a diagram without running it: cost, ties, effects, and how it is shown."""
