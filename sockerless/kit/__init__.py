"""The installer: renders Terraform, runs it, turns its outputs into the daemon's environment."""
