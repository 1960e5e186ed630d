"""Events over plain HTTP: CloudEvents, and Polar's ingestion."""
