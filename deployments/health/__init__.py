"""Is a service healthy, and what follows when a release is not."""
