catdl compile vision.cat backbone -o - --allow vision_models
