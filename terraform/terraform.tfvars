# Written from sockerless.toml: edit that file, not this one.
name                = "sockerless"
environment         = "dev"
region              = "us-east-1"
zones               = 2
network_cidr        = "10.0.0.0/16"
daemon_cidrs        = []
log_retention_days  = 30
force_delete_images = true
tags = {
}
