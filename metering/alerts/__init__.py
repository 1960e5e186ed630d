"""Usage alerts: thresholds for the numbers of `customer_meter`, decided where those change."""
