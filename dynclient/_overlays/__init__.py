"""Overlays: a list of actions (Overlay Specification 1.0 and 1.1) that change a document before it is read."""
