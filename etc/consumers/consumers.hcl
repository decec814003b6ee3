# For /etc/k8sauth/k8sauth.hcl: the programs of docs/consumers.md that are not root. Take those that the machine has: a block whose
# user is not in /etc/passwd is an error. Those that are root (vsftpd, dovecot, saslauthd, openvpn) need none.
# Say in `roles` whom each lets in: without it any role of the Kubernetes auth method does, that of ssh too. See k8sauth.hcl(5).
# The programs that are root have `service "vsftpd" { roles = ["ftp"] }` and the like for that.

consumer "postgresql" {
  uid  = "postgres"
  unit = "postgresql@*.service"
}

consumer "pgbouncer" {
  uid  = "postgres"
  unit = "pgbouncer.service"
}

consumer "apache2" {
  uid  = "www-data"
  unit = "apache2.service"
}

consumer "nginx" {
  uid  = "www-data"
  unit = "nginx.service"
}

consumer "squid" {
  uid  = "proxy"
  unit = "squid.service"
}
