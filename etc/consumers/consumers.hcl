# For /etc/k8sauth/k8sauth.hcl: the programs of docs/consumers.md that are not root. Take those that the machine has: a block whose
# user is not in /etc/passwd is an error. Those that are root (vsftpd, dovecot, saslauthd, openvpn) need none.
# `roles` and `users` narrow a block further; see k8sauth.hcl(5).

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
