/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What query-command-line-options answers. */
#ifndef SYSTEM_QMP_OPTIONS_H
#define SYSTEM_QMP_OPTIONS_H

#include "qapi/types-misc.h"

/* The caller frees it. */
CommandLineOptionInfoList *command_line_options(void);

#endif
