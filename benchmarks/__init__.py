"""Measurements of a real system: `python -m benchmarks --help`.

PostgreSQL with fsync on, Redis, an API process and a worker process, and the client in this one.
Each figure stands beside what it is held against, measured in the same run.
"""
