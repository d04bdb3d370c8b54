"""Pages of operations, and the formatting that every app's pages share."""
