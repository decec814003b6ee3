path "a" {
  capabilities = ["deny"]
  allowed_parameters = {}
 denied_parameters {
 "k" = ["v","w"]
}
}
