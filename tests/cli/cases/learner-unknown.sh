catdl train learner.cat clasify
