/* SPDX-License-Identifier: Apache-2.0 */
/* Forced into the NSS sources that the unit tests build a second time: places and owner of the tests. */
#pragma once

#include <unistd.h>

extern char nss_test_index[100], nss_test_socket[100];

#define NSS_INDEX  nss_test_index
#define NSS_SOCKET nss_test_socket
#define NSS_OWNER  getuid()
