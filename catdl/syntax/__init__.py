"""Text to tree and back: the grammar's tables, tokens, layout, the parser and the printer."""
