"""Make tables of what the programs wrote, and tables of tables; nothing here runs a network or draws."""
