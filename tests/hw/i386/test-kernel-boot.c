/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -kernel with multiboot and PVH images: made here, run under the firmware, they
 * look at what they are given and end the emulator with a status.
 */
#include "util/osdep.h"

#include <elf.h>
#include <glib.h>
#include <sys/wait.h>
#include "tests/lib/test.h"
#include "util/bswap.h"

#define LOAD    0x200000u
#define CODE    0x100           /* offset of the code in the file */
#define SIZE    0x180

/* cmp eax, magic; test byte [ebx], 40h; 10h if both, else 20h, to port F4h */
static const uint8_t multiboot_code[] = {
    0x3d, 0x02, 0xb0, 0xad, 0x2b, 0x75, 0x09, 0xf6, 0x03, 0x40, 0x74, 0x04, 0xb0, 0x10,
    0xeb, 0x02, 0xb0, 0x20, 0x66, 0xba, 0xf4, 0x00, 0xee, 0xf4, 0xeb, 0xfd,
};
/* cmp dword [ebx], 336ec578h; 11h if so, else 21h */
static const uint8_t pvh_code[] = {
    0x81, 0x3b, 0x78, 0xc5, 0x6e, 0x33, 0x75, 0x04, 0xb0, 0x11, 0xeb, 0x02, 0xb0, 0x21,
    0x66, 0xba, 0xf4, 0x00, 0xee, 0xf4, 0xeb, 0xfd,
};

/* The whole file is one segment at LOAD. */
static void put_elf32(uint8_t *f)
{
    Elf32_Ehdr e = {
        .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, 1 }, .e_type = ET_EXEC,
        .e_machine = EM_386, .e_version = 1, .e_entry = LOAD + CODE, .e_phoff = sizeof(e),
        .e_ehsize = sizeof(e), .e_phentsize = sizeof(Elf32_Phdr), .e_phnum = 1,
    };
    Elf32_Phdr p = { .p_type = PT_LOAD, .p_vaddr = LOAD, .p_paddr = LOAD, .p_filesz = SIZE,
                     .p_memsz = SIZE + 0x1000 };

    memcpy(f, &e, sizeof(e));
    memcpy(f + sizeof(e), &p, sizeof(p));
    store_le32(f + 0xc0, 0x1badb002);
    store_le32(f + 0xc8, 0u - 0x1badb002);
    memcpy(f + CODE, multiboot_code, sizeof(multiboot_code));
}

static void put_elf64(uint8_t *f)
{
    Elf64_Ehdr e = {
        .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1 }, .e_type = ET_EXEC,
        .e_machine = EM_X86_64, .e_version = 1, .e_entry = LOAD + CODE, .e_phoff = sizeof(e),
        .e_ehsize = sizeof(e), .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 2,
    };
    Elf64_Phdr p[2] = {
        { .p_type = PT_LOAD, .p_vaddr = LOAD, .p_paddr = LOAD, .p_filesz = SIZE, .p_memsz = SIZE },
        { .p_type = PT_NOTE, .p_offset = 0xd0, .p_filesz = 24, .p_memsz = 24 },
    };

    memcpy(f, &e, sizeof(e));
    memcpy(f + sizeof(e), p, sizeof(p));
    store_le32(f + 0xd0, 4);
    store_le32(f + 0xd4, 8);
    store_le32(f + 0xd8, 18);
    memcpy(f + 0xdc, "Xen", 4);
    store_le64(f + 0xe0, LOAD + CODE);
    memcpy(f + CODE, pvh_code, sizeof(pvh_code));
}

static int boot(Test *t, const uint8_t *image, size_t len, char **errors)
{
    g_autofree char *path = g_build_filename(test_tmpdir(t), "kernel", NULL);
    const char *argv[] = {
        "timeout", "60", test_qemu_bin(), "-machine", "pc", "-m", "64", "-nodefaults",
        "-display", "none", "-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-append", "words",
        "-initrd", path, "-kernel", path, NULL,
    };
    int status = -1;

    g_file_set_contents(path, (const char *)image, (gssize)len, NULL);
    if (!g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, errors,
                      &status, NULL)) {
        return -1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(kernel_boot, multiboot)
{
    uint8_t f[SIZE] = { 0 };

    put_elf32(f);
    check_int(t, boot(t, f, sizeof(f), NULL), 0x10 << 1 | 1,
              "magic in EAX, information with a memory map at EBX (Multiboot 3.2, 3.3)");
}

TEST(kernel_boot, pvh)
{
    uint8_t f[SIZE] = { 0 };

    put_elf64(f);
    check_int(t, boot(t, f, sizeof(f), NULL), 0x11 << 1 | 1,
              "start_info with its magic at EBX (PVH)");
}

TEST(kernel_boot, broken_images)
{
    static const uint8_t junk[256] = "no kernel";
    g_autofree char *e1 = NULL, *e2 = NULL;
    uint8_t f[SIZE] = { 0 };

    check_int(t, boot(t, junk, sizeof(junk), &e1), 1, "not an image");
    check_true(t, e1 && strstr(e1, "multiboot"), "and it says what is accepted");
    put_elf32(f);
    store_le32(f + sizeof(Elf32_Ehdr) + offsetof(Elf32_Phdr, p_filesz), 0x7fffffff);
    check_int(t, boot(t, f, sizeof(f), &e2), 1, "a segment that isn't in the file");
}

/* CVE-2018-7550, CVE-2017-14167: multiboot headers whose addresses (Multiboot 3.1.3) lie. */
TEST(kernel_boot, cve_2018_7550_multiboot_addresses)
{
    static const struct { const char *what; uint32_t header, load, load_end, bss_end; } lies[] = {
        { "a header before what is loaded", LOAD, LOAD + 0x100, 0, 0 },
        { "a header far behind it", 0xffffff00, LOAD, LOAD + SIZE, 0 },
        { "an end before its beginning", LOAD, LOAD, LOAD - 0x1000, 0 },
        { "an end after the file's", LOAD, LOAD, 0xffffffff, 0 },
        { "a BSS larger than memory", LOAD, LOAD, LOAD + 0x80, 0xffffffff },
        { "all of it beyond memory", 0xfffff000, 0xfffff000, 0xffffffff, 0xffffffff },
    };

    for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
        g_autofree char *e = NULL;
        uint8_t f[SIZE] = { 0 };

        store_le32(f, 0x1badb002);
        store_le32(f + 4, BIT(16));
        store_le32(f + 8, 0u - 0x1badb002 - BIT(16));
        store_le32(f + 12, lies[i].header);
        store_le32(f + 16, lies[i].load);
        store_le32(f + 20, lies[i].load_end);
        store_le32(f + 24, lies[i].bss_end);
        store_le32(f + 28, LOAD + CODE);
        check_int(t, boot(t, f, sizeof(f), &e), 1, lies[i].what);
        check_true(t, e && *e, "and it says why");
    }
}
