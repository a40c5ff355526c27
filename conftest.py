"""The three packages stand at the top of the repository, but are collected nowhere: tests live under ``tests/``."""

collect_ignore = ["converters", "conformance", "specs", "src", "fixtures", "benchmarks", "docs"]

pytest_plugins = ["pytester"]
