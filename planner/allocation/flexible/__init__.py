"""Jobs that change pool or number of nodes on the way: prices, bounds and plans of chains."""
