"""Docker <-> ECS, pure: dicts in, dicts out. Reads no clock, makes no call."""
