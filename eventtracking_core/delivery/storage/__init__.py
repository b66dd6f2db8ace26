"""Files that hold events until they are delivered: the spool and the dead letters."""
