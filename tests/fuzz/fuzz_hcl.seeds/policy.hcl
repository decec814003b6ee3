path "secret/data/*" {
  capabilities = ["read", "list",]
  allowed_parameters = { "a" = ["1", 2, -0x1f, 1.5e3], "*" = [] }
}
# c
// d
/* e */
path "a" "b" {}
min_wrapping_ttl = "1m" x = true
