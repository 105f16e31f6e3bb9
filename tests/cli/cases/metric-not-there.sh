catdl train learner.cat --dry-run --allow no_such_package --set 'metrics=[f1: python("no_such_package:F1")]'
