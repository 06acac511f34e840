"""Define every setting: its type, limits, default and a line of explanation; other packages use the settings."""
