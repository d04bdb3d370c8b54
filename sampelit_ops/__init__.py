"""The project: settings, roles, sign-in, the site around all apps, and what needs several of them."""
