"""Neural ODEs."""
