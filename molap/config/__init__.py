"""Hold every setting: its type, limits, default and a line of meaning; what is done with it is elsewhere."""
