path "x" {
 policy = "read"


 # hello
 capabilities = [ "read" ] # why
}