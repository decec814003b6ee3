# c1



path "a" { capabilities = ["read"] } # tail
path "b" {
  capabilities = [
"read",
"list"]
  allowed_parameters = { "a" = ["x"] 
 "*" = [] }
}
