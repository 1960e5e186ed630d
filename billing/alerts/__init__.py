"""Usage alerts as people make them."""
