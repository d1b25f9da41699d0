provider "aws" {
  region = var.region

  default_tags {
    tags = merge(var.tags, {
      "sockerless:project"     = var.name
      "sockerless:environment" = var.environment
      "sockerless:managed-by"  = "terraform"
    })
  }
}
