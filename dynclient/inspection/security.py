"""Who may call, in words: security requirements and schemes, without any credential."""

from __future__ import annotations

from dynclient.model import SecurityRequirement


def in_words(security: tuple[SecurityRequirement, ...]) -> list[str]:
    """One line for each choice; within one, all that is named is needed."""
    lines = [" and ".join(_scheme(name, scopes) for name, scopes in choice.items()) or "none" for choice in security]
    return [line if index == 0 else f"or {line}" for index, line in enumerate(lines)]


def _scheme(name: str, scopes: tuple[str, ...]) -> str:
    return f"{name} ({', '.join(scopes)})" if scopes else name
