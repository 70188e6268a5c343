/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a QMP monitor may be used for (-mon permissions=): looking, life cycle, or everything. What isn't
 * named here needs "full": a new command is never allowed by mistake.
 */
#include "util/osdep.h"
#include <glib.h>
#include "monitor/monitor-int.h"

/* Names or patterns of commands that only look, and write no file. */
static const char *const looking[] = {
    "qmp_capabilities", "query-*", "x-query-*", "qom-list", "qom-list-types", "qom-list-properties",
    "qom-get", "device-list-properties", "trace-event-get-state", "compare-device-state",
};
/* Those that start, stop and end the machine. */
static const char *const life_cycle[] = {
    "stop", "cont", "system_reset", "system_powerdown", "system_wakeup", "quit", "inject-nmi",
    "set-action", "watchdog-set-action",
};

static const char *const names[] = {
    [MONITOR_FULL] = "full", [MONITOR_LIFE_CYCLE] = "life-cycle", [MONITOR_READ_ONLY] = "read-only",
};

bool monitor_permissions_parse(const char *text, MonitorPermissions *p, Error **errp)
{
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (!strcmp(names[i], text)) {
            *p = i;
            return true;
        }
    }
    error_setf(errp, ERR_INVALID_ARGUMENT, "-mon: unknown permissions '%s'", text);
    error_argument(errp, "permissions", text, "read-only, life-cycle, full");
    error_hint(errp, "accepted: read-only, life-cycle, full");
    return false;
}

static bool is_in(const char *const *list, size_t n, const char *command)
{
    for (size_t i = 0; i < n; i++) {
        if (g_pattern_match_simple(list[i], command)) {
            return true;
        }
    }
    return false;
}

bool monitor_permits(MonitorPermissions p, const char *command, Error **errp)
{
    if (p == MONITOR_FULL || is_in(looking, ARRAY_SIZE(looking), command) ||
        (p == MONITOR_LIFE_CYCLE && is_in(life_cycle, ARRAY_SIZE(life_cycle), command))) {
        return true;
    }
    error_setf(errp, ERR_PERMISSION, "The command %s is not permitted on this monitor", command);
    error_hint(errp, "its permissions are '%s'", names[p]);
    return false;
}
