"""Parts of the benchmark of what a conversion costs."""
