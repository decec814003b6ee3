# /etc/k8sauth/k8sauth.hcl: the configuration of k8sauthd, see k8sauth.hcl(5). Check a change with
# `k8sauthd --check-config`, then `systemctl restart k8sauthd` (sessions stay).
# Roles, policies and secrets are not here: they live in the store, see k8sauth(1).

mode = "both"

# One block per Kubernetes auth mount whose service accounts may log in. The audience is your own word for this
# machine, or for a group of machines that trust each other: tokens are made for it (`kubectl create token --audience`,
# or a projected volume), and a token for anything else is refused.
#
# cluster "kubernetes" {
#   audience = "k8sauth:prod"
# }

service "sshd" {
  export_token = true     # VAULT_TOKEN in the session's environment
}

# Sessions get the KV secrets that the policies of their token name. They are looked at again every export_interval:
# what changed is replaced in its file, and /etc/k8sauth/hooks/rotated is run as the user, if it is there; see k8sauthd(8).
#
# export_interval = "5m"
#
export "policy" { services = ["sshd"] }
