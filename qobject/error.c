/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "qobject/error.h"

struct Error {
    ErrorClass class;
    ErrorCode code;
    char *message;              /* all strings: owned, NULL where not set */
    char *hint;
    char *subject;
    char *argument, *value, *accepted;
};

/* Where there is no memory for an error's text nothing sensible can go on. */
static void *checked(void *p)
{
    if (!p) {
        abort();
    }
    return p;
}

static char *copy(const char *s)
{
    return s ? checked(strdup(s)) : NULL;
}

static char *format(const char *fmt, va_list ap)
{
    char *s;

    if (vasprintf(&s, fmt, ap) < 0) {
        abort();
    }
    return s;
}

static void replace(char **where, char *s)
{
    free(*where);
    *where = s;
}

static void set(Error **errp, ErrorClass class, ErrorCode code, char *message)
{
    Error *err;

    assert(!*errp);
    err = checked(calloc(1, sizeof(*err)));
    err->class = class;
    err->code = code;
    err->message = message;
    *errp = err;
}

void error_setf(Error **errp, ErrorCode code, const char *fmt, ...)
{
    va_list ap;

    if (errp) {
        va_start(ap, fmt);
        set(errp, ERROR_CLASS_GENERIC_ERROR, code, format(fmt, ap));
        va_end(ap);
    }
}

void error_set_class(Error **errp, ErrorClass class, ErrorCode code,
                     const char *fmt, ...)
{
    va_list ap;

    if (errp) {
        va_start(ap, fmt);
        set(errp, class, code, format(fmt, ap));
        va_end(ap);
    }
}

void error_set_errno(Error **errp, int os_errno, const char *fmt, ...)
{
    va_list ap;
    char *text, *message, buf[128];

    if (errp) {
        va_start(ap, fmt);
        text = format(fmt, ap);
        va_end(ap);
        /* strerror() itself is not for several threads. */
        if (asprintf(&message, "%s: %s", text,
                     strerror_r(os_errno, buf, sizeof(buf))) < 0) {
            abort();
        }
        free(text);
        set(errp, ERROR_CLASS_GENERIC_ERROR, ERR_HOST, message);
    }
}

void error_subject(Error **errp, const char *path)
{
    if (errp && *errp) {
        replace(&(*errp)->subject, copy(path));
    }
}

void error_argument(Error **errp, const char *argument, const char *value,
                    const char *accepted)
{
    if (errp && *errp) {
        replace(&(*errp)->argument, copy(argument));
        replace(&(*errp)->value, copy(value));
        replace(&(*errp)->accepted, copy(accepted));
    }
}

void error_hint(Error **errp, const char *fmt, ...)
{
    va_list ap;

    if (errp && *errp) {
        va_start(ap, fmt);
        replace(&(*errp)->hint, format(fmt, ap));
        va_end(ap);
    }
}

void error_prepend(Error **errp, const char *fmt, ...)
{
    va_list ap;
    char *text, *message;

    if (errp && *errp) {
        va_start(ap, fmt);
        text = format(fmt, ap);
        va_end(ap);
        if (asprintf(&message, "%s%s", text, (*errp)->message) < 0) {
            abort();
        }
        free(text);
        replace(&(*errp)->message, message);
    }
}

const char *error_message(const Error *err)
{
    return err->message;
}

const char *error_hint_text(const Error *err)
{
    return err->hint;
}

const char *error_subject_path(const Error *err)
{
    return err->subject;
}

const char *error_argument_name(const Error *err)
{
    return err->argument;
}

const char *error_argument_value(const Error *err)
{
    return err->value;
}

const char *error_argument_accepted(const Error *err)
{
    return err->accepted;
}

ErrorClass error_class(const Error *err)
{
    return err->class;
}

ErrorCode error_code(const Error *err)
{
    return err->code;
}

const char *error_class_name(ErrorClass class)
{
    static const char *const names[] = {
        [ERROR_CLASS_GENERIC_ERROR]     = "GenericError",
        [ERROR_CLASS_COMMAND_NOT_FOUND] = "CommandNotFound",
        [ERROR_CLASS_DEVICE_NOT_ACTIVE] = "DeviceNotActive",
        [ERROR_CLASS_DEVICE_NOT_FOUND]  = "DeviceNotFound",
        [ERROR_CLASS_KVM_MISSING_CAP]   = "KVMMissingCap",
    };

    return (size_t)class < ARRAY_SIZE(names) ? names[class] : names[0];
}

const char *error_code_name(ErrorCode code)
{
    static const char *const names[] = {
#define ERROR_CODE_NAME(sym, name) [sym] = name,
        ERROR_CODES(ERROR_CODE_NAME)
#undef ERROR_CODE_NAME
    };

    return (size_t)code < ARRAY_SIZE(names) ? names[code] : names[ERR_GENERIC];
}

void error_propagate(Error **errp, Error *err)
{
    if (!err) {
        return;
    }
    if (errp) {
        assert(!*errp);
        *errp = err;
    } else {
        error_free(err);
    }
}

Error *error_copy(const Error *err)
{
    Error *c = checked(calloc(1, sizeof(*c)));

    *c = (Error){
        .class = err->class, .code = err->code,
        .message = copy(err->message), .hint = copy(err->hint),
        .subject = copy(err->subject), .argument = copy(err->argument),
        .value = copy(err->value), .accepted = copy(err->accepted),
    };
    return c;
}

void error_free(Error *err)
{
    if (err) {
        free(err->message);
        free(err->hint);
        free(err->subject);
        free(err->argument);
        free(err->value);
        free(err->accepted);
        free(err);
    }
}

/* What stands before each report, with -msg; see qobject/error.h. */
static void (*report_prefix)(void);

void error_set_report_prefix(void (*print)(void))
{
    report_prefix = print;
}

void error_print_prefix(void)
{
    if (report_prefix) {
        report_prefix();
    }
}

void error_report(Error *err)
{
    error_print_prefix();
    fprintf(stderr, "qemu-system: %s\n", err->message);
    if (err->hint) {
        fprintf(stderr, "%s\n", err->hint);
    }
    error_free(err);
}
