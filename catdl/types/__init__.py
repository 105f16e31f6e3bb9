"""The language of types: sizes, labels, kinds, objects, and how each is shown."""
