/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "tests/lib/test.h"
#include "qobject/error.h"

TEST(error, details)
{
    Error *err = NULL, *copy;

    error_set_class(&err, ERROR_CLASS_DEVICE_NOT_FOUND, ERR_NO_SUCH_DEVICE,
                    "no device '%s'", "x");
    error_subject(&err, "/machine/peripheral/x");
    error_argument(&err, "id", "x", "the id of a device");
    error_hint(&err, "info qtree lists %d devices", 3);
    error_prepend(&err, "cannot unplug: ");
    copy = error_copy(err);
    error_free(err);
    check_str(t, error_message(copy), "cannot unplug: no device 'x'", "message");
    check_str(t, error_class_name(error_class(copy)), "DeviceNotFound", "class");
    check_str(t, error_code_name(error_code(copy)), "no-such-device", "code");
    check_str(t, error_subject_path(copy), "/machine/peripheral/x", "subject");
    check_str(t, error_argument_name(copy), "id", "argument");
    check_str(t, error_argument_value(copy), "x", "value");
    check_str(t, error_argument_accepted(copy), "the id of a device", "accepted");
    check_str(t, error_hint_text(copy), "info qtree lists 3 devices", "hint");
    error_free(copy);
}

TEST(error, nobody_listens)
{
    Error *err = NULL;

    error_setf(NULL, ERR_GENERIC, "lost");
    error_subject(NULL, "x");
    error_hint(&err, "no error yet");
    error_prepend(&err, "no error yet");
    check_true(t, !err, "details of no error make none");
    error_setf(&err, ERR_EOF, "x");
    error_propagate(NULL, err);
    error_propagate(NULL, NULL);
}

TEST(error, host_error)
{
    Error *err = NULL, *to = NULL;

    error_set_errno(&err, ENOENT, "cannot open '%s'", "f");
    error_propagate(&to, err);
    check_str(t, error_message(to), "cannot open 'f': No such file or directory", "text");
    check_int(t, error_code(to), ERR_HOST, "code");
    error_free(to);
}
