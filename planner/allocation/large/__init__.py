"""Cases too large to hand over: prices, bounds and insertion in numpy."""
