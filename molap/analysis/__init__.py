"""Make tables from the programs' outputs and from other tables; nothing here runs a network or draws a figure."""
