catdl train learner.cat --resume
