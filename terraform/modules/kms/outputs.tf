output "key_arn" {
  description = "The key's ARN; empty without a key."
  value       = var.create ? aws_kms_key.this[0].arn : ""
}
