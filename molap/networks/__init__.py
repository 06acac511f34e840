"""Define the recurrent network and its gradient, the masks of the trained weights, and a user's own network."""
