"""Recover: what was lost and when, every copy that holds it, and the operation that brings it back."""
