"""Import records into MLflow, and query it; nothing else in the package needs MLflow."""
