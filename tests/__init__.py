"""Tests: real PostgreSQL, the real migrations, the real service; browsers in tests/e2e."""
