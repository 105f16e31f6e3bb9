"""Helps that are edits: what a reader may change so that a mistake is gone.

Takes a checked program with mistakes; guarantees that every edit offered was tried: the edited text is checked again,
the mistake is gone and no other has come. A program without mistakes never comes here, so the good path pays nothing.

    run         which mistakes get a help, and within which budget
    trial       an edited text checked again, of a long file only the declarations concerned
    case        one mistake: its place in the tree, and edits there
    kinds …     candidates, one module for each kind of help
"""
