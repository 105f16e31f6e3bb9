catdl compile vision.cat backbone -o -
