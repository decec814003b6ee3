path "a" {
 capabilities = ["read", # r
 "list", # longer
"update"] # done
}
# end
# of it
