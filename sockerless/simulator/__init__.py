"""AWS on one machine: moto for the control plane, a container engine for the tasks. Imports no room it tests."""
