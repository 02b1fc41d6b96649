"""Time of the parts of a training step: blocks, communication, the pipeline round them."""
