"""Counting: batches get positions in the log and are counted; meters that are behind catch up."""
