"""Read and write files: atomic writes, the records beside outputs, and the paths of both."""
