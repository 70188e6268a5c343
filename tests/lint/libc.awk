# SPDX-License-Identifier: GPL-2.0-or-later
#
# Input: nm -A -u of the objects of qobject/ and libqmp/. They may need each
# other and the C library; what GLib and pixman offer shows by its name.

$NF ~ /^(g_|gst_|gio_|pixman_|main_loop_|bh_|mutex_|cond_|thread_|timer_|log_)/ {
    printf "%s needs %s: only the C library may be used here\n", $1, $NF
    bad = 1
}

END { exit bad }
