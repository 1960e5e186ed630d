"""The language of meters: filters, properties, numbers and aggregations, compiled to SQL."""
