"""Why there is no plan, and the cheapest change that allows one."""
