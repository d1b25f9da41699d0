# Terraform's state is the file terraform.tfstate beside this one; state = "s3" in sockerless.toml moves it to a bucket.
