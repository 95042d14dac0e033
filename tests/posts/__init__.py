"""Responsibility areas, posts and claims."""
