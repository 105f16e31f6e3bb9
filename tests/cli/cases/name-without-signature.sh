catdl compile parts.cat loose -o -
