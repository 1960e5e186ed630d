"""What is sold: products, prices and benefits."""
