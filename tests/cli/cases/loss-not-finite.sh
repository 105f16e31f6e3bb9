catdl train learner.cat
