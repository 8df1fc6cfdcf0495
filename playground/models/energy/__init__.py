"""Energy-based models, the restricted Boltzmann machine among them."""
