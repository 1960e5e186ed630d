"""What meters counted over a range: windows, whole buckets, raw edges, periods, previews."""
