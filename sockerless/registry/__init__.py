"""The OCI distribution client: references, authentication, manifests, blobs, archives, push."""
