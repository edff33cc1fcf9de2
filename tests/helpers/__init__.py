"""What several test files use: tiny models and runs, a small gallery, and ways to read what a page or command shows."""
