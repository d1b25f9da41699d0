"""What was asked and how it ended. One small interface (base.py); sqlite.py is the default."""
