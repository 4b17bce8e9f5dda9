"""commonground: match audiences and measure campaigns without showing each other data."""
