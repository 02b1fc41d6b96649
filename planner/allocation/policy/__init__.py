"""What a plan is best at: the policies, what they reach and what others could have had."""
