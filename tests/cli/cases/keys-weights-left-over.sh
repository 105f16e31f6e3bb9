python weights.py
catdl keys digits.cat mlp --diff theirs.safetensors --write out.safetensors
ls out.safetensors 2> /dev/null
exit 1
