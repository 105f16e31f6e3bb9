catdl show digits.cat mpl
