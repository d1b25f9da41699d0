"""A Docker Engine whose containers are AWS ECS Fargate tasks, and the kit that provisions the AWS side."""
