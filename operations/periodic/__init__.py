"""What every periodic job needs: the clock that all share, and one row at a time."""
