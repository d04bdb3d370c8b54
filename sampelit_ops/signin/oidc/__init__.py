"""Sign-in by an OpenID provider: a code with PKCE, an ID token that is checked, and roles by group."""
