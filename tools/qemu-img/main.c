/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "tools/qemu-img/img.h"
#include "util/main-loop.h"

static const struct {
    const char *name;
    ImgCommand *run;
    const char *usage;
} commands[] = {
    { "bench", img_bench, "[-c COUNT] [-d DEPTH] [-f FMT] [--flush-interval=N] [-n] [-o OFFSET] [--pattern=N] [-q] "
      "[-s SIZE] [-S STEP] [-t CACHE] [-w] FILENAME" },
    { "bitmap", img_bitmap, "(--merge SOURCE | --add | --remove | --clear | --enable | --disable)... "
      "[-b SOURCE_FILE [-F FMT]] [-g GRANULARITY] [-f FMT] FILENAME BITMAP" },
    { "check", img_check, "[-q] [-f FMT] [--output=human|json] [-r leaks|all] [-T CACHE] [-U] FILENAME" },
    { "commit", img_commit, "[-q] [-f FMT] [-t CACHE] [-b BASE] [-d] [-p] FILENAME" },
    { "compare", img_compare, "[-f FMT] [-F FMT] [-T CACHE] [-p] [-q] [-s] [-U] FILENAME1 FILENAME2" },
    { "convert", img_convert, "[-U] [-c] [-p] [-q] [-n] [-f FMT] [-t CACHE] [-T CACHE] [-O FMT] "
      "[-B BACKING [-F FMT]] [-o OPTIONS] [-l SNAPSHOT] [-S SIZE] [-m COROUTINES] [-W] "
      "FILENAME [FILENAME2...] OUTPUT" },
    { "create", img_create, "[-q] [-f FMT] [-b BACKING [-F FMT]] [-u] [-o OPTIONS] FILENAME [SIZE]" },
    { "dd", img_dd, "[-f FMT] [-O FMT] [-U] [bs=SIZE] [count=BLOCKS] [skip=BLOCKS] if=INPUT of=OUTPUT" },
    { "info", img_info, "[-f FMT] [--output=human|json] [--backing-chain] [-U] FILENAME" },
    { "map", img_map, "[-f FMT] [--start-offset=N] [--max-length=N] [--output=human|json] [-U] FILENAME" },
    { "measure", img_measure, "[--output=human|json] [-O FMT] [-o OPTIONS] [--size N | [-f FMT] FILENAME]" },
    { "rebase", img_rebase, "[-q] [-f FMT] [-t CACHE] [-T CACHE] [-p] [-u] -b BACKING [-F FMT] FILENAME" },
    { "resize", img_resize, "[-q] [-f FMT] [--shrink] FILENAME [+|-]SIZE" },
    { "snapshot", img_snapshot, "[-q] [-f FMT] [-U] [-l | -a NAME | -c NAME | -d NAME] FILENAME" },
};

static void help(void)
{
    printf("qemu-img: disk images\nusage: qemu-img COMMAND [OPTIONS]\n\nCommands:\n");
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        printf("  %s %s\n", commands[i].name, commands[i].usage);
    }
    printf("\nSupported formats:");
    for (const BlockDriver *d = block_driver_first(); d; d = d->next) {
        printf(" %s", d->name);
    }
    printf("\n");
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        img_complain("Not enough arguments");
        fprintf(stderr, "Try 'qemu-img --help' for more information\n");
        return 1;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
        help();
        return 0;
    }
    if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
        printf("qemu-img version 7.2.0 (qemu-system 0.1)\n");
        return 0;
    }
    main_loop_init();
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (strcmp(commands[i].name, argv[1]) == 0) {
            if (argc == 3 && (!strcmp(argv[2], "--help") || !strcmp(argv[2], "-h"))) {
                printf("usage: qemu-img %s %s\n", commands[i].name, commands[i].usage);
                return 0;
            }
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    img_complain("Command not found: %s", argv[1]);
    return 1;
}
