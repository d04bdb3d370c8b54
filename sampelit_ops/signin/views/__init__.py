"""Views of signing in: second factor, welcome, tokens."""
