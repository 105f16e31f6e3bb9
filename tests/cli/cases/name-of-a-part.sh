catdl compile parts.cat spread -o -
