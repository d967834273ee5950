"""What the goals for speed are measured with: see README.md in this folder."""
