python weights.py
printf 'linear.weight = 1.weight\nlinear.bias <-\n<- 1.bias  # whose?\nlinear_2.bias <- 3.bias &\nlinear_2.weight <- 3.weight[1:\n' > mine.map
catdl keys digits.cat mlp --diff theirs.safetensors --map mine.map
