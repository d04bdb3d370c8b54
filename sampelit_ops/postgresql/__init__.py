"""The portal's database backend: Django's own with one rule of locks."""
