catdl compile digits.cat mlp -o ./digits.cat
