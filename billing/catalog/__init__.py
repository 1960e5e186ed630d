"""The catalog: products, prices and benefits."""
