catdl keys twins.cat two --diff digits.cat
python -c "
import numpy, safetensors.numpy
save = lambda *names: safetensors.numpy.save_file({name: numpy.ones((4, 4), 'float32') for name in names}, 'w.safetensors')
save('x.weight', 'z.weight')
"
catdl keys twins.cat two --diff w.safetensors
