"""An earlier plan as what to start from."""
