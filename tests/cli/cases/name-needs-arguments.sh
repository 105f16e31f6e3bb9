catdl compile twice.cat twice -o -
