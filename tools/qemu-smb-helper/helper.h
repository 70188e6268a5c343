/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-smb-helper: what its files share. */
#ifndef TOOLS_QEMU_SMB_HELPER_HELPER_H
#define TOOLS_QEMU_SMB_HELPER_HELPER_H

#include "util/osdep.h"

#define SHARES_MAX  64

typedef struct SmbShare {
    char name[64];
    const char *path;
    bool read_only;
} SmbShare;

typedef struct SmbHelper {
    int control;                /* its end is ours */
    const char *smbd, *server, *guest;
    SmbShare shares[SHARES_MAX];
    unsigned n_shares;
    char folder[64];            /* private, with all that smbd writes; "": not made */
    char problem[1024];         /* told to the emulator */
} SmbHelper;

/* Says what is wrong; false. */
bool smb_problem(SmbHelper *h, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The private folder with smbd's configuration. */
bool smb_folder_make(SmbHelper *h);
void smb_folder_remove(SmbHelper *h);
/* Path of @name in the folder. */
void smb_folder_path(const SmbHelper *h, const char *name, char *path, size_t room);

#endif
