printf 'dim D = 8\0\n' > zero.cat
catdl check zero.cat
