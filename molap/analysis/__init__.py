"""Make tables from what the programs wrote, and from other tables; nothing here runs a network or draws a figure."""
