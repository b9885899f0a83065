"""Small trained networks bundled with the package."""
