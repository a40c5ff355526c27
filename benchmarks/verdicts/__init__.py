"""The parts of the verdict benchmark: healthy models, ways to break them, ways to rewrite them, and judges."""
