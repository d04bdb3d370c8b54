"""What is exported, when, and what is late."""
