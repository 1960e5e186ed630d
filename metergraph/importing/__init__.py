"""The parts of `metergraph import`: a file's rows become events, which go to the API in batches."""
