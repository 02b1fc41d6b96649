"""What there is to choose from: runs, chains and the blocks of nodes that they lie on."""
