"""What stands before every page: bounds of a request, and the worker that lets slow clients go."""
