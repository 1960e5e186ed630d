"""The log: batches get positions and are counted into meters, or a history is caught up on."""
