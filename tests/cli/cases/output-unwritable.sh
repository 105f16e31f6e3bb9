catdl compile digits.cat mlp -o nowhere/digits.py
