"""Applying one registered file as an operation's steps: preflight, maintenance, drain, restore point, apply, verify.

The stored bytes run, never a file on disk. What was done is journaled in Application before and after each act.
"""
