"""What the registry does across model boundaries; each verb has its own module."""
