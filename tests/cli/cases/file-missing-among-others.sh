catdl check digits.cat missing.cat
