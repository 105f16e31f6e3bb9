printf 'dim D = 8  # caf\351\n' > latin.cat
catdl check latin.cat
