"""OAuth 2.0 and OpenID Connect: `flows` gets and renews tokens, `store` keeps them in a file."""
