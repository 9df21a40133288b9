"""What the trials of a run have left, written for other programs: TensorBoard, MLflow, Weights and Biases."""
