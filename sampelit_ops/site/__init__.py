"""The frame of every page: admin site, home, header, navigation."""
