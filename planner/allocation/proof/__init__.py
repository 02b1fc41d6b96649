"""What a plan file proves, made and recomputed without a solver."""
