"""Emits documentation and type hints from an OpenAPI document."""
