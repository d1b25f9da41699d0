"""The Docker Engine HTTP API. A handler decodes, calls one backend verb, encodes. Knows no AWS word."""
