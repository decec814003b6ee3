path "a" {
  capabilities = ["read"]
  min_wrapping_ttl = "1s" # one
  max_wrapping_ttl = "90s" # two

  allowed_parameters = { "a" = [] }
}
path "b" { policy = "write" }
