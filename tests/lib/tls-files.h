/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Certificates and keys for tests, made anew in a folder as -object tls-creds-x509,dir= has them. */
#ifndef TESTS_LIB_TLS_FILES_H
#define TESTS_LIB_TLS_FILES_H

#include "util/osdep.h"

/* ca-cert.pem; server-cert.pem for "localhost" and its key; client-cert.pem, O=Tests,CN=viewer,
 * and its key; keys.psk with the name "viewer". False: this build has no TLS. */
bool tls_files_make(const char *dir);
/* A server certificate that the CA there hasn't signed, or one that has expired, in its place. */
bool tls_files_spoil(const char *dir, bool expired);

#endif
