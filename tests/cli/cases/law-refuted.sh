catdl check --laws pooled.cat
