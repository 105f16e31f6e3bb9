catdl train learner.cat --dry-run --set 'data=table("outside.csv", input = x, target = label)'
