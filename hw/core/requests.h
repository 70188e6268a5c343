/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between runstate.c and requests.c only. */
#ifndef HW_CORE_REQUESTS_H
#define HW_CORE_REQUESTS_H

/* Stop or start all vCPUs without a change of state. */
void runstate_pause_cpus(void);
void runstate_resume_cpus(void);

#endif
