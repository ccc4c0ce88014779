"""Arguments of public functions, compared with the annotations before anything happens."""
