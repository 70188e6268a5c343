/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errors: what went wrong, for programs (class, code, subject, argument,
 * value, what is accepted) and for people (message, hint).
 *
 * A function that can fail takes a last argument `Error **errp` and returns
 * bool, a pointer or a negative number that says whether it failed. On
 * failure it has set *errp if errp isn't NULL; on success it hasn't touched
 * it. The callee describes, the caller decides, the outermost one reports.
 * An Error belongs to whoever holds the pointer. Libc only.
 */
#ifndef QOBJECT_ERROR_H
#define QOBJECT_ERROR_H

#include "util/osdep.h"

typedef struct Error Error;

/* The five classes of QMP; what a client sees as "class". */
typedef enum {
    ERROR_CLASS_GENERIC_ERROR,
    ERROR_CLASS_COMMAND_NOT_FOUND,
    ERROR_CLASS_DEVICE_NOT_ACTIVE,
    ERROR_CLASS_DEVICE_NOT_FOUND,
    ERROR_CLASS_KVM_MISSING_CAP,
} ErrorClass;

/* Stable codes: X(symbol, name in "code" of a QMP error). Append only. */
#define ERROR_CODES(X) \
    X(ERR_GENERIC,              "generic") \
    X(ERR_EOF,                  "eof") \
    X(ERR_HOST,                 "host-error") \
    X(ERR_NO_MEMORY,            "no-memory") \
    X(ERR_INVALID_ARGUMENT,     "invalid-argument") \
    X(ERR_MISSING_ARGUMENT,     "missing-argument") \
    X(ERR_UNKNOWN_ARGUMENT,     "unknown-argument") \
    X(ERR_WRONG_TYPE,           "wrong-type") \
    X(ERR_OUT_OF_RANGE,         "out-of-range") \
    X(ERR_JSON_SYNTAX,          "json-syntax") \
    X(ERR_JSON_LIMIT,           "json-limit") \
    X(ERR_PROTOCOL,             "protocol") \
    X(ERR_NO_SUCH_COMMAND,      "no-such-command") \
    X(ERR_NO_SUCH_OPTION,       "no-such-option") \
    X(ERR_NO_SUCH_TYPE,         "no-such-type") \
    X(ERR_NO_SUCH_OBJECT,       "no-such-object") \
    X(ERR_NO_SUCH_PROPERTY,     "no-such-property") \
    X(ERR_NO_SUCH_BUS,          "no-such-bus") \
    X(ERR_NO_SUCH_DEVICE,       "no-such-device") \
    X(ERR_NO_SUCH_CLIENT,       "no-such-client") \
    X(ERR_NO_SUCH_BACKEND,      "no-such-backend") \
    X(ERR_PROPERTY_RANGE,       "property-range") \
    X(ERR_PROPERTY_READ_ONLY,   "property-read-only") \
    X(ERR_DUPLICATE_ID,         "duplicate-id") \
    X(ERR_IN_USE,               "in-use") \
    X(ERR_WRONG_STATE,          "wrong-state") \
    X(ERR_NOT_SUPPORTED,        "not-supported") \
    X(ERR_FILE_NOT_FOUND,       "file-not-found") \
    X(ERR_FILE_FORMAT,          "file-format") \
    X(ERR_IMAGE_CORRUPT,        "image-corrupt") \
    X(ERR_STATE_INVALID,        "state-invalid") \
    X(ERR_PERMISSION,           "permission")

typedef enum {
#define ERROR_CODE_ENUM(sym, name) sym,
    ERROR_CODES(ERROR_CODE_ENUM)
#undef ERROR_CODE_ENUM
    ERR__MAX
} ErrorCode;

/* Set *errp (if errp isn't NULL) to a new GenericError. *errp must be NULL. */
void error_setf(Error **errp, ErrorCode code, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
void error_set_class(Error **errp, ErrorClass class, ErrorCode code,
                     const char *fmt, ...) PRINTF_LIKE(4, 5);
/* As error_setf, with ": <strerror(os_errno)>" added; code is ERR_HOST. */
void error_set_errno(Error **errp, int os_errno, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* Details of *errp; without effect when errp or *errp is NULL. */
void error_subject(Error **errp, const char *path);
/* @value and @accepted may be NULL. */
void error_argument(Error **errp, const char *argument, const char *value,
                    const char *accepted);
void error_hint(Error **errp, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Put "text: " before the message. */
void error_prepend(Error **errp, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Borrowed, valid as long as the error; NULL where nothing was set. */
const char *error_message(const Error *err);
const char *error_hint_text(const Error *err);
const char *error_subject_path(const Error *err);
const char *error_argument_name(const Error *err);
const char *error_argument_value(const Error *err);
const char *error_argument_accepted(const Error *err);
ErrorClass error_class(const Error *err);
ErrorCode error_code(const Error *err);
const char *error_class_name(ErrorClass class);     /* "GenericError" ... */
const char *error_code_name(ErrorCode code);        /* "eof" ... */

/* Give @err (owned by the caller until now) to @errp, or free it if NULL. */
void error_propagate(Error **errp, Error *err);
Error *error_copy(const Error *err);
void error_free(Error *err);                        /* NULL is allowed */
/* Print "qemu-system: <message>" and the hint on stderr, then free @err. */
void error_report(Error *err);
/* Whoever prints a message on stderr calls error_print_prefix() first; @print
 * writes there what -msg asks for. Once, at start-up. */
void error_set_report_prefix(void (*print)(void));
void error_print_prefix(void);

#endif
