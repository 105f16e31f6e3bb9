python weights.py
cat > mine.map <<'END'
linear.wieght <- 1.weight
linear.weight <- 1.wait
linear.bias <- 1.bias & 3.bias
linear_2.weight <- 3.weight^T
linear_2.bias <- 3.bias
linear_2.bias <- 3.bias[0:10]
linear.*.weight <- 1.*.weight
linear.bias <- 1.bias[0:99]
linear.weight <- 1.bias^T
linear.bias <- steps
discard <- four.**
END
catdl keys digits.cat mlp --diff theirs.safetensors --map mine.map
