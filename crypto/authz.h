/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may come in: objects that say yes or no to a name (of a certificate, of a SASL user).
 * authz-simple knows one name, authz-list a list of rules. Big lock.
 */
#ifndef CRYPTO_AUTHZ_H
#define CRYPTO_AUTHZ_H

#include "qobject/error.h"

/* Does the object @id allow @identity? False with errp set: there is no such object. */
bool authz_allows(const char *id, const char *identity, bool *allowed, Error **errp);

#endif
