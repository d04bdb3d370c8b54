"""SQL text becomes statements and trees; what hides inside of them."""
