path "a" {
  allowed_parameters = {
    "x" = [1, 2.5, true]
    "yy" = ["a"]
  # c
    "zzz" = []
  }
  capabilities = ["read"]
}
