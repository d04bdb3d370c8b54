"""Personal tokens of the shell: what each may do (scopes, an environment), who uses it from where, and when it ends."""
