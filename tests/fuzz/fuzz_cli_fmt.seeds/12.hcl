# one
# two

# three
path "secret/data/webapp/*" {
  # inside
  capabilities = ["read", "list"]
}

# four
path "secret/metadata/webapp/*" {
  capabilities = ["read", "list"]
  # at the end
}
