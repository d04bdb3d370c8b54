"""Django looks here for the commands of sampelit_ops."""
