"""Networks: layers, activations, patterns and the affine maps they compose to."""
