"""What a statement runs without saying so: functions behind names, operators, triggers, defaults, checks and views."""
