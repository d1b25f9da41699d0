"""The only room that calls AWS: one file per service, errors translated in session.py alone."""
