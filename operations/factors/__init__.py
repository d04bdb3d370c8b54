"""Second factors of people, and the acts for which one is shown anew."""
