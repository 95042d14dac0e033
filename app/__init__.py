"""Pioneer Grid: the service."""
