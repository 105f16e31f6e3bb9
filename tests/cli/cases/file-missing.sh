catdl check missing.cat
