# SPDX-License-Identifier: Apache-2.0
# The stand-in for a Kubernetes API server: see ../apiserver.
