"""The benchmarks that measure the goals for speed: see README.md in this folder."""
