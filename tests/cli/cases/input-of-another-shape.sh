python -c "import numpy; numpy.save(\"image.npy\", numpy.zeros((1, 28, 28), \"float32\"))"
catdl run digits.cat mlp --input image.npy -o logits.npy
